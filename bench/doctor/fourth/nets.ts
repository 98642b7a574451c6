/** The architectures of the fourth series. */
import { cat, F, nn, noGrad, randn, type Tensor, tensor, zeros } from "lanegrad";
import { mlp } from "../nets.js";
import { ITEMS, USERS } from "../second/tasks.js";
import { Attention } from "../third/nets.js";

type Make = () => nn.Module;

/** LeCun, Bottou, Bengio & Haffner (1998), with ReLU and maxima as it is taught today. */
export class LeNet extends nn.Module {
  conv1 = new nn.Conv2d(1, 6, 5, { padding: 2 });
  conv2 = new nn.Conv2d(6, 16, 5);
  drop: nn.Dropout;
  fc1 = new nn.Linear(16 * 25, 120);
  fc2 = new nn.Linear(120, 84);
  fc3 = new nn.Linear(84, 10);
  constructor(dropout = 0) {
    super();
    this.drop = new nn.Dropout(dropout);
  }
  forward(x: Tensor): Tensor {
    const a = F.maxPool2d(F.relu(this.conv1(x)), 2);
    const b = F.maxPool2d(F.relu(this.conv2(a)), 2);
    const c = this.drop(F.relu(this.fc1(b.flatten(1))));
    return this.fc3(F.relu(this.fc2(c)));
  }
}

/** Two convolutions and a skip (He et al., CVPR 2016). */
class BasicBlock extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  short: nn.Module;
  constructor(from: number, to: number, stride: number) {
    super();
    this.conv1 = new nn.Conv2d(from, to, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(to);
    this.conv2 = new nn.Conv2d(to, to, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(to);
    this.short =
      from === to
        ? new nn.Identity()
        : new nn.Sequential(new nn.Conv2d(from, to, 1, { stride, bias: false }), new nn.BatchNorm2d(to));
  }
  forward(x: Tensor): Tensor {
    const h = F.relu(this.bn1(this.conv1(x)));
    return F.relu(this.bn2(this.conv2(h)).add(this.short(x)));
  }
}

/** Three blocks, each of half the size of the one before. */
export const resNet = (width = 8, classes = 10): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(1, width, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(width),
    new nn.ReLU(),
    new BasicBlock(width, width, 1),
    new BasicBlock(width, 2 * width, 2),
    new BasicBlock(2 * width, 4 * width, 2),
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
    new nn.Linear(4 * width, classes),
  );

/** Convolutions and nothing between them but activations, the first two with a stride. */
export const plainCNN = (depth: number, activation: Make = () => new nn.ReLU(), width = 12): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(1, width, 3, { padding: 1, stride: 2 }),
    activation(),
    ...Array.from({ length: depth - 1 }, (_, i) => [
      new nn.Conv2d(width, width, 3, { padding: 1, stride: i === 0 ? 2 : 1 }),
      activation(),
    ]).flat(),
    new nn.Flatten(),
    new nn.Linear(width * 16, 10),
  );

/** What is later may not be read. */
const future = (steps: number): Tensor =>
  tensor(Array.from({ length: steps }, (_, to) => Array.from({ length: steps }, (_, from) => from > to))).keep();

/** Symbols (int32 [n, steps]) to the scores of those that follow, or of those at their places: [n, classes, steps]. */
export class GPT extends nn.Module {
  words: nn.Embedding;
  places: nn.Parameter;
  layers: nn.ModuleList;
  norm: nn.LayerNorm;
  head: nn.Linear;
  mask: Tensor | undefined;
  constructor(vocabulary: number, { width = 32, depth = 2, steps = 16, causal = true, deviation = 0.02 } = {}) {
    super();
    this.words = new nn.Embedding(vocabulary, width);
    this.places = new nn.Parameter(zeros(1, steps, width));
    this.layers = new nn.ModuleList(Array.from({ length: depth }, () => new Attention(width, 2)));
    this.norm = new nn.LayerNorm(width);
    this.head = new nn.Linear(width, vocabulary, { bias: false });
    // As GPT-2 does (Radford et al., 2019).
    for (const p of [this.words.weight, this.places]) nn.init.normal_(p, 0, deviation);
    if (causal) nn.init.normal_(this.head.weight, 0, deviation);
    this.mask = causal ? future(steps) : undefined;
  }
  forward(x: Tensor): Tensor {
    let h: Tensor = this.words(x).add(this.places);
    for (const layer of this.layers) h = (layer as Attention)(h, this.mask);
    return this.head(this.norm(h)).transpose(1, 2);
  }
}

/** A gated unit (Cho et al., 2014). */
export class GRUCell extends nn.Module {
  gates: nn.Linear;
  candidate: nn.Linear;
  constructor(
    inputs: number,
    readonly width: number,
  ) {
    super();
    this.gates = new nn.Linear(inputs + width, 2 * width);
    this.candidate = new nn.Linear(inputs + width, width);
  }
  forward(x: Tensor, h: Tensor): Tensor {
    const [reset, update] = this.gates(cat([x, h], 1))
      .sigmoid()
      .chunk(2, 1);
    const c = this.candidate(cat([x, h.mul(reset)], 1)).tanh();
    return c.add(update.mul(h.sub(c)));
  }
}

/** Eight symbols are read, eight written, each after a look at all that was read (Luong, Pham & Manning, 2015): int32 [n, 16] to [n, symbols, 8]. */
export class Seq2Seq extends nn.Module {
  words: nn.Embedding;
  encoder: GRUCell;
  decoder: GRUCell;
  join: nn.Linear;
  head: nn.Linear;
  constructor(
    symbols = 10,
    readonly width = 32,
    /** The encoder runs without a tape, as when it is thought to be finished. */
    readonly detached = false,
  ) {
    super();
    this.words = new nn.Embedding(symbols, width);
    nn.init.normal_(this.words.weight, 0, 0.3);
    this.encoder = new GRUCell(width, width);
    this.decoder = new GRUCell(width, width);
    this.join = new nn.Linear(2 * width, width);
    this.head = new nn.Linear(width, symbols);
  }
  read(words: Tensor): Tensor[] {
    const states: Tensor[] = [];
    let h = zeros(words.shape[0], this.width);
    for (let t = 0; t < 8; t++) {
      h = this.encoder(words.select(1, t), h);
      states.push(h);
    }
    return states;
  }
  forward(x: Tensor): Tensor {
    const words = this.words(x);
    const states = this.detached ? noGrad(() => this.read(words)) : this.read(words);
    const memory = cat(
      states.map((s) => s.unsqueeze(1)),
      1,
    );
    let h = states[7];
    const written: Tensor[] = [];
    for (let t = 8; t < 16; t++) {
      h = this.decoder(words.select(1, t), h);
      const scores = memory.matmul(h.unsqueeze(2)).div(Math.sqrt(this.width));
      const seen = memory.mul(F.softmax(scores, 1)).sum(1);
      written.push(this.head(this.join(cat([h, seen], 1)).tanh()).unsqueeze(2));
    }
    return cat(written, 2);
  }
}

/** Convolutions of several widths over characters, the highest answer of each (Kim, EMNLP 2014). */
export class TextCNN extends nn.Module {
  words: nn.Embedding;
  convs: nn.ModuleList;
  drop: nn.Dropout;
  head: nn.Linear;
  constructor(vocabulary: number, classes: number, { width = 16, channels = 16, dropout = 0.3 } = {}) {
    super();
    this.words = new nn.Embedding(vocabulary, width);
    this.convs = new nn.ModuleList([2, 3, 4].map((k) => new nn.Conv2d(width, channels, [1, k])));
    this.drop = new nn.Dropout(dropout);
    this.head = new nn.Linear(3 * channels, classes);
  }
  forward(x: Tensor): Tensor {
    const h = this.words(x).transpose(1, 2).unsqueeze(2);
    const best = [...this.convs].map((conv) => F.relu((conv as nn.Conv2d)(h)).amax([2, 3]));
    return this.head(this.drop(cat(best, 1)));
  }
}

/** The mean of a row's vectors, in which no order is left. */
export class Bag extends nn.Module {
  words: nn.Embedding;
  body: nn.Sequential;
  constructor(vocabulary: number, classes: number, width = 24) {
    super();
    this.words = new nn.Embedding(vocabulary, width);
    this.body = mlp([width, 48, classes]);
  }
  forward(x: Tensor): Tensor {
    return this.body(this.words(x).mean(1));
  }
}

/** Convolutions over time with BatchNorm: [n, 3, 1, 48]. */
export const signalNet = (classes = 4): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(3, 12, [1, 5], { stride: [1, 2], padding: [0, 2] }),
    new nn.BatchNorm2d(12),
    new nn.ReLU(),
    new nn.Conv2d(12, 24, [1, 5], { stride: [1, 2], padding: [0, 2] }),
    new nn.BatchNorm2d(24),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(24 * 12, classes),
  );

/** Sines and cosines of random projections, then an MLP (Tancik et al., NeurIPS 2020). */
export class Fourier extends nn.Module {
  readonly waves: Tensor;
  body: nn.Sequential;
  constructor(inputs: number, count = 24, width = 64, speed = 1.2) {
    super();
    this.waves = randn(inputs, count).mul(speed).clone().keep();
    this.body = mlp([2 * count, width, width, 1]);
  }
  forward(x: Tensor): Tensor {
    const angles = x.matmul(this.waves);
    return this.body(cat([angles.sin(), angles.cos()], 1).mul(Math.SQRT2));
  }
}

/** Three images to three points on a sphere: [n, 3, 196] to [n, 3, 16]. */
export class Triplet extends nn.Module {
  body = mlp([196, 96, 16]);
  forward(x: Tensor): Tensor {
    const z = this.body(x.reshape([3 * x.shape[0], 196]));
    return z.div(z.square().sum(1, { keepdim: true }).add(1e-8).sqrt()).reshape([x.shape[0], 3, 16]);
  }
}

/** Two of a kind nearer to each other than to the third, by a margin (Schroff, Kalenichenko & Philbin, FaceNet, CVPR 2015). */
export const nearer = (points: Tensor): Tensor => {
  const [a, b, c] = [0, 1, 2].map((i) => points.select(1, i));
  const distance = (other: Tensor) => a.sub(other).square().sum(1);
  return distance(b).sub(distance(c)).add(0.3).clamp({ min: 0 }).mean();
};

/** By how much the item somebody chose is above the one he did not: int32 [n, 3] to [n, 1]. */
export class Preferences extends nn.Module {
  users = new nn.Embedding(USERS, 8);
  items = new nn.Embedding(ITEMS, 8);
  constructor() {
    super();
    for (const { weight } of [this.users, this.items]) nn.init.normal_(weight, 0, 0.1);
  }
  forward(x: Tensor): Tensor {
    const difference = this.items(x.select(1, 1)).sub(this.items(x.select(1, 2)));
    return this.users(x.select(1, 0)).mul(difference).sum(1, { keepdim: true });
  }
}

/** Layers around each of which a skip should be. */
class Branch extends nn.Module {
  fc1: nn.Linear;
  fc2: nn.Linear;
  constructor(
    width: number,
    readonly skip: boolean,
    readonly gain: number,
  ) {
    super();
    this.fc1 = new nn.Linear(width, width);
    this.fc2 = new nn.Linear(width, width);
    if (gain > 0) for (const { weight } of [this.fc1, this.fc2]) nn.init.kaimingNormal_(weight);
  }
  forward(x: Tensor): Tensor {
    const branch = this.fc2(F.relu(this.fc1(x)));
    return this.skip ? x.add(branch.mul(this.gain)) : branch;
  }
}

/** A residual MLP without any norm; without its skips, or with branches that are added `gain` times. */
export const branches = (depth: number, { skip = true, gain = 0, width = 48 } = {}): nn.Sequential =>
  new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(196, width),
    ...Array.from({ length: depth }, () => new Branch(width, skip, gain)),
    new nn.Linear(width, 10),
  );

/** Reads rows of an image, or [n, steps, inputs], with ReLU and a recurrence that begins as the identity times `gain` (Le, Jaitly & Hinton, 2015). */
export class IRNN extends nn.Module {
  input: nn.Linear;
  recurrent: nn.Linear;
  head: nn.Linear;
  constructor(
    readonly inputs: number,
    readonly width: number,
    classes: number,
    gain = 1,
  ) {
    super();
    this.input = new nn.Linear(inputs, width);
    this.recurrent = new nn.Linear(width, width, { bias: false });
    nn.init.eye_(this.recurrent.weight);
    noGrad(() => this.recurrent.weight.mul_(gain));
    this.head = new nn.Linear(width, classes);
  }
  forward(x: Tensor): Tensor {
    const rows = x.reshape([x.shape[0], -1, this.inputs]);
    let h = zeros(rows.shape[0], this.width);
    for (let t = 0; t < rows.shape[1]; t++) h = F.relu(this.input(rows.select(1, t)).add(this.recurrent(h)));
    return this.head(h);
  }
}

/** Divides each column by its deviation in the batch, as if it could not be 0. */
export class BatchScaled extends nn.Module {
  constructor(readonly body: nn.Module) {
    super();
  }
  forward(x: Tensor): Tensor {
    const centred = x.sub(x.mean(0, { keepdim: true }));
    return this.body(centred.div(x.std(0, { keepdim: true })));
  }
}
