/** The architectures of the third series. */
import { cat, F, nn, type Tensor, zeros } from "lanegrad";
import { mlp } from "../nets.js";

const silu = () => new nn.SiLU();

/** Small nets beside each other, and a gate that says how much each of them is heard (Jacobs et al., 1991). */
export class Experts extends nn.Module {
  gate: nn.Linear;
  experts: nn.ModuleList;
  constructor(
    inputs: number,
    width: number,
    classes: number,
    count = 4,
    readonly mix: "soft" | "hardest" | "of probabilities" = "soft",
  ) {
    super();
    this.gate = new nn.Linear(inputs, count);
    this.experts = new nn.ModuleList(Array.from({ length: count }, () => mlp([inputs, width, classes], silu)));
  }
  forward(x: Tensor): Tensor {
    const flat = x.flatten(1);
    const scores = this.gate(flat);
    // Only the expert with the highest score, without its score as a factor (which Switch Transformers have): nothing for the gate.
    const shares = this.mix === "hardest" ? F.oneHot(scores.argmax(1), scores.shape[1]).float() : F.softmax(scores, 1);
    let sum: Tensor | null = null;
    let i = 0;
    for (const expert of this.experts) {
      const answer = (expert as nn.Sequential)(flat);
      const heard = (this.mix === "of probabilities" ? F.softmax(answer, 1) : answer).mul(shares.narrow(1, i++, 1));
      sum = sum === null ? heard : sum.add(heard);
    }
    return sum as Tensor;
  }
}

/** Channels weighted by what the whole image shows (Hu, Shen & Sun, CVPR 2018). */
class SqueezeExcite extends nn.Module {
  down: nn.Linear;
  up: nn.Linear;
  constructor(channels: number) {
    super();
    this.down = new nn.Linear(channels, Math.ceil(channels / 4));
    this.up = new nn.Linear(Math.ceil(channels / 4), channels);
  }
  forward(x: Tensor): Tensor {
    const gains = this.up(F.silu(this.down(x.mean([2, 3])))).sigmoid();
    return x.mul(gains.reshape([x.shape[0], x.shape[1], 1, 1]));
  }
}

/** A convolution of each channel for itself, then one over the channels, in the style of MobileNetV3 (Howard et al., ICCV 2019). */
export function depthwiseNet({
  channels = 16,
  depth = 3,
  normalized = true,
  excite = false,
  activation = (): nn.Module => new nn.Hardswish(),
  classes = 10,
} = {}): nn.Sequential {
  const norm = () => (normalized ? [new nn.BatchNorm2d(channels)] : []);
  const block = (i: number) => [
    new nn.Conv2d(channels, channels, 3, { padding: 1, stride: i === 0 ? 2 : 1, groups: channels }),
    ...norm(),
    activation(),
    ...(excite ? [new SqueezeExcite(channels)] : []),
    new nn.Conv2d(channels, channels, 1),
    ...norm(),
    activation(),
  ];
  return new nn.Sequential(
    new nn.Conv2d(1, channels, 3, { padding: 1, stride: 2 }),
    ...norm(),
    activation(),
    ...Array.from({ length: depth }, (_, i) => block(i)).flat(),
    new nn.AdaptiveAvgPool2d(2),
    new nn.Flatten(),
    new nn.Linear(4 * channels, classes),
  );
}

class HighwayLayer extends nn.Module {
  transform: nn.Linear;
  gate: nn.Linear;
  constructor(width: number, bias: number) {
    super();
    this.transform = new nn.Linear(width, width);
    this.gate = new nn.Linear(width, width);
    nn.init.constant_(this.gate.bias as Tensor, bias);
  }
  forward(x: Tensor): Tensor {
    const open = this.gate(x).sigmoid();
    return x.add(open.mul(F.relu(this.transform(x)).sub(x)));
  }
}

/** Layers that pass on what they do not change (Srivastava, Greff & Schmidhuber, 2015); their gates begin rather closed. */
export const highway = (depth: number, bias = -2, width = 48): nn.Sequential =>
  new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(196, width),
    ...Array.from({ length: depth }, () => new HighwayLayer(width, bias)),
    new nn.Linear(width, 10),
  );

/** A product of a linear map and a gate, and no skip around it (Dauphin et al., ICML 2017). */
class GatedLinear extends nn.Module {
  both: nn.Linear;
  constructor(width: number) {
    super();
    this.both = new nn.Linear(width, 2 * width);
  }
  forward(x: Tensor): Tensor {
    const [value, gate] = this.both(x).chunk(2, 1);
    return value.mul(gate.sigmoid());
  }
}

export const gatedStack = (depth: number, width = 48): nn.Sequential =>
  new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(196, width),
    ...Array.from({ length: depth }, () => new GatedLinear(width)),
    new nn.Linear(width, 10),
  );

/** Images as 16 patches, [n, 16, width]. */
class Patches extends nn.Module {
  conv: nn.Conv2d;
  constructor(width: number) {
    super();
    this.conv = new nn.Conv2d(1, width, 4, { stride: 4, padding: 1 });
  }
  forward(x: Tensor): Tensor {
    return this.conv(x).flatten(2).transpose(1, 2);
  }
}

class MixerLayer extends nn.Module {
  norm1: nn.LayerNorm;
  places1 = new nn.Linear(16, 32);
  places2 = new nn.Linear(32, 16);
  norm2: nn.LayerNorm;
  features1: nn.Linear;
  features2: nn.Linear;
  constructor(width: number) {
    super();
    this.norm1 = new nn.LayerNorm(width);
    this.norm2 = new nn.LayerNorm(width);
    this.features1 = new nn.Linear(width, 2 * width);
    this.features2 = new nn.Linear(2 * width, width);
  }
  forward(x: Tensor): Tensor {
    const across = this.places2(F.gelu(this.places1(this.norm1(x).transpose(1, 2)))).transpose(1, 2);
    const h = x.add(across);
    return h.add(this.features2(F.gelu(this.features1(this.norm2(h)))));
  }
}

/** In turn over places and over features (Tolstikhin et al., MLP-Mixer, 2021). */
export class Mixer extends nn.Module {
  stem: Patches;
  layers: nn.ModuleList;
  norm: nn.LayerNorm;
  head: nn.Linear;
  constructor(width = 32, depth = 2, classes = 10) {
    super();
    this.stem = new Patches(width);
    this.layers = new nn.ModuleList(Array.from({ length: depth }, () => new MixerLayer(width)));
    this.norm = new nn.LayerNorm(width);
    this.head = new nn.Linear(width, classes);
  }
  forward(x: Tensor): Tensor {
    let h: Tensor = this.stem(x);
    for (const layer of this.layers) h = (layer as MixerLayer)(h);
    return this.head(this.norm(h).mean(1));
  }
}

/** Several heads of attention and a feed-forward part, each after a LayerNorm and around a skip. */
export class Attention extends nn.Module {
  norm1: nn.LayerNorm;
  all: nn.Linear;
  out: nn.Linear;
  norm2: nn.LayerNorm;
  fc1: nn.Linear;
  fc2: nn.Linear;
  constructor(
    width: number,
    readonly heads: number,
  ) {
    super();
    this.norm1 = new nn.LayerNorm(width);
    this.all = new nn.Linear(width, 3 * width);
    this.out = new nn.Linear(width, width);
    this.norm2 = new nn.LayerNorm(width);
    this.fc1 = new nn.Linear(width, 2 * width);
    this.fc2 = new nn.Linear(2 * width, width);
  }
  /** @param hidden is true for positions that must not be read, and broadcasts to [n, heads, to, from] */
  forward(x: Tensor, hidden?: Tensor): Tensor {
    const [n, steps, width] = x.shape;
    const split = this.all(this.norm1(x)).reshape([n, steps, 3, this.heads, width / this.heads]);
    const [q, k, v] = [0, 1, 2].map((i) => split.select(2, i).permute(0, 2, 1, 3));
    const scores = q.matmul(k.transpose(2, 3)).div(Math.sqrt(width / this.heads));
    const masked = hidden === undefined ? scores : scores.maskedFill(hidden, -Infinity);
    const read = F.softmax(masked, 3).matmul(v).permute(0, 2, 1, 3).reshape([n, steps, width]);
    const h = x.add(this.out(read));
    return h.add(this.fc2(F.gelu(this.fc1(this.norm2(h)))));
  }
}

/** Patches, a token that collects, and attention (Dosovitskiy et al., ICLR 2021). */
export class ViT extends nn.Module {
  stem: Patches;
  collector: nn.Parameter;
  places: nn.Parameter;
  layers: nn.ModuleList;
  norm: nn.LayerNorm;
  head: nn.Linear;
  constructor(width = 32, depth = 2, classes = 10) {
    super();
    this.stem = new Patches(width);
    this.collector = new nn.Parameter(zeros(1, 1, width).normal_(0, 0.02));
    this.places = new nn.Parameter(zeros(1, 17, width).normal_(0, 0.02));
    this.layers = new nn.ModuleList(Array.from({ length: depth }, () => new Attention(width, 2)));
    this.norm = new nn.LayerNorm(width);
    this.head = new nn.Linear(width, classes);
  }
  forward(x: Tensor): Tensor {
    const patches = this.stem(x);
    const first = this.collector.expand(x.shape[0], 1, patches.shape[2]);
    let h: Tensor = cat([first, patches], 1).add(this.places);
    for (const layer of this.layers) h = (layer as Attention)(h);
    return this.head(this.norm(h.select(1, 0)));
  }
}

/** The memory and the state of an LSTM (Hochreiter & Schmidhuber, 1997), the forget gate's bias 1 (Jozefowicz et al., ICML 2015). */
class LSTMCell extends nn.Module {
  gates: nn.Linear;
  constructor(
    inputs: number,
    readonly width: number,
  ) {
    super();
    this.gates = new nn.Linear(inputs + width, 4 * width);
    const bias = zeros(4 * width);
    bias.narrow(0, width, width).fill_(1);
    (this.gates.bias as Tensor).detach().copy_(bias);
  }
  forward(x: Tensor, h: Tensor, c: Tensor): [Tensor, Tensor] {
    const [i, f, o, g] = this.gates(cat([x, h], 1)).chunk(4, 1);
    const memory = c.mul(f.sigmoid()).add(i.sigmoid().mul(g.tanh()));
    return [memory.tanh().mul(o.sigmoid()), memory];
  }
}

/** Reads an image row by row, or symbols (int32 [n, steps]) if it is given a vocabulary. */
export class LSTM extends nn.Module {
  words: nn.Embedding | null;
  cell: LSTMCell;
  drop: nn.Dropout;
  head: nn.Linear;
  constructor(
    inputs: number,
    readonly width: number,
    classes: number,
    { vocabulary = 0, dropout = 0 } = {},
  ) {
    super();
    this.words = vocabulary > 0 ? new nn.Embedding(vocabulary, inputs) : null;
    this.cell = new LSTMCell(inputs, width);
    this.drop = new nn.Dropout(dropout);
    this.head = new nn.Linear(width, classes);
  }
  forward(x: Tensor): Tensor {
    const rows = this.words === null ? (x.ndim === 4 ? x.squeeze(1) : x) : this.words(x);
    let h = zeros(x.shape[0], this.width);
    let c = zeros(x.shape[0], this.width);
    for (let t = 0; t < rows.shape[1]; t++) [h, c] = this.cell(rows.select(1, t), h, c);
    return this.head(this.drop(h));
  }
}

/** Half of the numbers scaled and moved by what the other half says, in turn; gives each point's log-likelihood (Dinh et al., RealNVP, ICLR 2017). */
export class Flow extends nn.Module {
  couplings: nn.ModuleList;
  constructor(depth = 6, width = 32) {
    super();
    this.couplings = new nn.ModuleList(Array.from({ length: depth }, () => mlp([1, width, 2], () => new nn.Tanh())));
    // Begins as the identity, as in Glow (Kingma & Dhariwal, 2018).
    for (const coupling of this.couplings) {
      const last = [...(coupling as nn.Sequential)].at(-1) as nn.Linear;
      nn.init.zeros_(last.weight);
      nn.init.zeros_(last.bias as Tensor);
    }
  }
  forward(x: Tensor): Tensor {
    let [a, b] = x.chunk(2, 1);
    let volume: Tensor = a.mul(0);
    for (const coupling of this.couplings) {
      const [raw, move] = (coupling as nn.Sequential)(a).chunk(2, 1);
      const log = raw.tanh();
      [a, b] = [b.mul(log.exp()).add(move), a];
      volume = volume.add(log);
    }
    const normal = a
      .square()
      .add(b.square())
      .div(-2)
      .sub(Math.log(2 * Math.PI));
    return normal.add(volume);
  }
}

/** Two rounds of a mean over neighbours (Kipf & Welling, ICLR 2017). */
export class GraphNet extends nn.Module {
  fc1: nn.Linear;
  fc2: nn.Linear;
  drop = new nn.Dropout(0.5);
  constructor(
    readonly neighbours: Tensor,
    features: number,
    width: number,
    classes: number,
  ) {
    super();
    this.fc1 = new nn.Linear(features, width);
    this.fc2 = new nn.Linear(width, classes);
  }
  forward(x: Tensor): Tensor {
    const h = F.relu(this.neighbours.matmul(this.fc1(this.drop(x))));
    return this.neighbours.matmul(this.fc2(this.drop(h)));
  }
}

/** Each point of a set by itself, then all of them together (Zaheer et al., Deep Sets, 2017). */
export class SetNet extends nn.Module {
  each: nn.Module;
  all: nn.Sequential;
  constructor(
    classes: number,
    readonly pool: "mean" | "sum" = "mean",
    { width = 32, linear = false } = {},
  ) {
    super();
    this.each = linear
      ? new nn.Linear(2, width)
      : new nn.Sequential(new nn.Linear(2, width), new nn.ReLU(), new nn.Linear(width, width), new nn.ReLU());
    this.all = mlp([width, width, classes], silu);
  }
  forward(x: Tensor): Tensor {
    const points = this.each(x) as Tensor;
    return this.all(this.pool === "mean" ? points.mean(1) : points.sum(1));
  }
}

/** Scores of a word with those beside it and with others: int32 [n, 1 + k] to [n, k] (Mikolov et al., 2013). */
export class SkipGram extends nn.Module {
  words: nn.Embedding;
  contexts: nn.Embedding;
  constructor(vocabulary: number, width = 24) {
    super();
    this.words = new nn.Embedding(vocabulary, width);
    this.contexts = new nn.Embedding(vocabulary, width);
    nn.init.uniform_(this.words.weight, -0.5 / width, 0.5 / width);
    nn.init.zeros_(this.contexts.weight);
  }
  forward(x: Tensor): Tensor {
    const word = this.words(x.narrow(1, 0, 1));
    return this.contexts(x.narrow(1, 1, x.shape[1] - 1))
      .mul(word)
      .sum(2);
  }
}

/** A layer that stays as it is, and a product of two thin matrices that learns beside it (Hu et al., LoRA, ICLR 2022). */
export class Adapter extends nn.Module {
  down: nn.Linear;
  up: nn.Linear;
  constructor(
    readonly base: nn.Linear,
    rank = 4,
  ) {
    super();
    base.requiresGrad_(false);
    const [outputs, inputs] = base.weight.shape;
    this.down = new nn.Linear(inputs, rank, { bias: false });
    this.up = new nn.Linear(rank, outputs, { bias: false });
    nn.init.zeros_(this.up.weight);
  }
  forward(x: Tensor): Tensor {
    return this.base(x).add(this.up(this.down(x)).mul(2));
  }
}

/** Images through a code of bits; with a straight-through estimator (Bengio, Léonard & Courville, 2013) the code's gradient passes the step as if it was not there. */
export class BitCode extends nn.Module {
  encoder = mlp([196, 64, 24]);
  decoder = mlp([24, 64, 196]);
  constructor(readonly through = true) {
    super();
  }
  forward(x: Tensor): Tensor {
    const soft = this.encoder(x).sigmoid();
    const hard = soft.gt(0.5).float();
    const bits = this.through ? soft.add(hard.sub(soft).detach()) : hard;
    return this.decoder(bits.mul(2).sub(1)).reshape(x.shape);
  }
}

/** Convolutions over the past, each twice as far apart as those before (van den Oord et al., WaveNet, 2016): int32 [n, steps] to [n, classes, steps]. */
export class Causal extends nn.Module {
  words: nn.Embedding;
  convs: nn.ModuleList;
  head: nn.Conv2d;
  constructor(
    vocabulary: number,
    width = 32,
    readonly reach: readonly number[] = [1, 2, 4],
  ) {
    super();
    this.words = new nn.Embedding(vocabulary, width);
    const conv = (d: number) => new nn.Conv2d(width, width, [1, 2], { dilation: [1, d] });
    this.convs = new nn.ModuleList(reach.map(conv));
    this.head = new nn.Conv2d(width, vocabulary, 1);
  }
  forward(x: Tensor): Tensor {
    let h: Tensor = this.words(x).transpose(1, 2).unsqueeze(2);
    let i = 0;
    for (const conv of this.convs) h = h.add(F.silu((conv as nn.Conv2d)(F.pad(h, [this.reach[i++], 0]))));
    return this.head(h).squeeze(2);
  }
}

/** A state's change, learned, and so many small steps with it: [n, 2] to [n, 2 × steps]. */
export class Unrolled extends nn.Module {
  change = mlp([2, 32, 2], () => new nn.Tanh());
  constructor(
    readonly steps: number,
    readonly dt: number,
  ) {
    super();
  }
  forward(x: Tensor): Tensor {
    const states: Tensor[] = [];
    let state = x;
    for (let t = 0; t < this.steps; t++) {
      state = state.add(this.change(state).mul(this.dt));
      states.push(state);
    }
    return cat(states, 1);
  }
}

/** Two views of each image, [n, 2, 1, 14, 14], to two directions, [n, 2, 16]. */
export class Views extends nn.Module {
  body = mlp([196, 96, 48]);
  project = new nn.Linear(48, 16);
  forward(x: Tensor): Tensor {
    const z = this.project(F.relu(this.body(x.reshape([2 * x.shape[0], 196]))));
    const length = z.square().sum(1, { keepdim: true }).add(1e-8).sqrt();
    return z.div(length).reshape([x.shape[0], 2, 16]);
  }
}

/** A code of many numbers, few of which are to be above zero, for another net's inner numbers or an image. */
export class SparseCode extends nn.Module {
  encoder: nn.Linear;
  relu = new nn.ReLU();
  decoder: nn.Linear;
  /** Of the last pass: the mean over the samples of the sums of the codes. */
  price: Tensor | null = null;
  constructor(inputs: number, codes: number) {
    super();
    this.encoder = new nn.Linear(inputs, codes);
    this.decoder = new nn.Linear(codes, inputs);
  }
  forward(x: Tensor): Tensor {
    const code = this.relu(this.encoder(x.flatten(1)));
    this.price = code.sum(1).mean();
    return this.decoder(code);
  }
}
