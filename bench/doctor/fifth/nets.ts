/** The architectures of the fifth series. */
import { cat, F, nn, noGrad, rand, randn, type Tensor, zeros } from "lanegrad";
import { GRUCell } from "../fourth/nets.js";
import { latent } from "../second/nets.js";
import { Attention } from "../third/nets.js";

type Make = () => nn.Module;

/** From coarse images to finer ones: the last convolution's channels become places (Shi et al., ESPCN, CVPR 2016). */
export const finerNet = (width = 16): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(1, width, 3, { padding: 1 }),
    new nn.SiLU(),
    new nn.Conv2d(width, width, 3, { padding: 1 }),
    new nn.SiLU(),
    new nn.Conv2d(width, 4, 3, { padding: 1 }),
    new nn.PixelShuffle(2),
  );

/** A depthwise convolution, a norm, and an MLP of each place, around a skip (Liu et al., ConvNeXt, CVPR 2022). */
class NextBlock extends nn.Module {
  spread: nn.Conv2d;
  norm: nn.GroupNorm;
  fc1: nn.Conv2d;
  fc2: nn.Conv2d;
  constructor(width: number) {
    super();
    this.spread = new nn.Conv2d(width, width, 5, { padding: 2, groups: width });
    this.norm = new nn.GroupNorm(1, width);
    this.fc1 = new nn.Conv2d(width, 2 * width, 1);
    this.fc2 = new nn.Conv2d(2 * width, width, 1);
    for (const { weight } of [this.fc1, this.fc2]) nn.init.xavierUniform_(weight);
  }
  forward(x: Tensor): Tensor {
    return x.add(this.fc2(F.gelu(this.fc1(this.norm(this.spread(x))))));
  }
}

export const convNext = (width = 16, depth = 2, classes = 10): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(1, width, 2, { stride: 2 }),
    new nn.GroupNorm(1, width),
    ...Array.from({ length: depth }, () => new NextBlock(width)),
    new nn.AdaptiveAvgPool2d(2),
    new nn.Flatten(),
    new nn.LayerNorm(4 * width),
    new nn.Linear(4 * width, classes),
  );

/** A layer's outputs beside its inputs. */
class DenseLayer extends nn.Module {
  conv: nn.Conv2d;
  norm: nn.BatchNorm2d;
  constructor(channels: number, growth: number) {
    super();
    this.norm = new nn.BatchNorm2d(channels);
    this.conv = new nn.Conv2d(channels, growth, 3, { padding: 1, bias: false });
  }
  forward(x: Tensor): Tensor {
    return cat([x, this.conv(F.relu(this.norm(x)))], 1);
  }
}

/** Each layer reads all layers before (Huang et al., DenseNet, CVPR 2017). */
export const denseNet = (growth = 8, layers = 3, dropout = 0, classes = 10): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(1, growth, 3, { padding: 1, stride: 2, bias: false }),
    ...Array.from({ length: layers }, (_, i) => new DenseLayer(growth * (i + 1), growth)),
    new nn.BatchNorm2d(growth * (layers + 1)),
    new nn.ReLU(),
    new nn.AdaptiveAvgPool2d(2),
    new nn.Flatten(),
    new nn.Dropout(dropout),
    new nn.Linear(4 * growth * (layers + 1), classes),
  );

/** Convolutions whose reach grows, at full size: a score for each pixel. */
export const dilatedNet = (outputs = 1, width = 12): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(1, width, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(width),
    new nn.ReLU(),
    new nn.Conv2d(width, width, 3, { padding: 2, dilation: 2, bias: false }),
    new nn.BatchNorm2d(width),
    new nn.ReLU(),
    new nn.Conv2d(width, outputs, 1, { bias: false }),
  );

/** Residual blocks each of which is left out at random while training (Huang et al., ECCV 2016). */
class SometimesBlock extends nn.Module {
  norm: nn.LayerNorm;
  fc1: nn.Linear;
  fc2: nn.Linear;
  constructor(
    width: number,
    readonly drop: number,
  ) {
    super();
    this.norm = new nn.LayerNorm(width);
    this.fc1 = new nn.Linear(width, width);
    this.fc2 = new nn.Linear(width, width);
  }
  forward(x: Tensor): Tensor {
    const branch = this.fc2(F.silu(this.fc1(this.norm(x))));
    if (!this.training) return x.add(branch);
    // Sample by sample, so that every block has a gradient in every step.
    const kept = rand(x.shape[0], 1)
      .ge(this.drop)
      .float()
      .div(1 - this.drop);
    return x.add(branch.mul(kept));
  }
}

export const stochasticDepth = (depth = 4, width = 64, drop = 0.2): nn.Sequential =>
  new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(196, width),
    ...Array.from({ length: depth }, (_, i) => new SometimesBlock(width, (drop * (i + 1)) / depth)),
    new nn.LayerNorm(width),
    new nn.Linear(width, 10),
  );

/** Directions, compared with one direction a class: scores are ten times the cosines (Wang et al., NormFace, 2017). */
export class Cosine extends nn.Module {
  body: nn.Module;
  proxies: nn.Parameter;
  constructor(body: nn.Module, width: number, classes = 10) {
    super();
    this.body = body;
    this.proxies = new nn.Parameter(randn(classes, width).div(Math.sqrt(width)));
  }
  forward(x: Tensor): Tensor {
    const unit = (t: Tensor) => t.div(t.square().sum(1, { keepdim: true }).add(1e-8).sqrt());
    return unit(this.body(x)).matmul(unit(this.proxies).t()).mul(10);
  }
}

/** One gated recurrence forwards, one backwards, and tags from both: int32 [n, steps] to [n, tags, steps] (Schuster & Paliwal, 1997). */
export class Tagger extends nn.Module {
  words: nn.Embedding;
  there: GRUCell;
  back: GRUCell;
  drop = new nn.Dropout(0.1);
  head: nn.Linear;
  constructor(
    vocabulary: number,
    tags: number,
    readonly width = 24,
  ) {
    super();
    this.words = new nn.Embedding(vocabulary, 16);
    nn.init.normal_(this.words.weight, 0, 0.5);
    this.there = new GRUCell(16, width);
    this.back = new GRUCell(16, width);
    this.head = new nn.Linear(2 * width, tags);
    nn.init.xavierUniform_(this.head.weight);
  }
  run(cell: GRUCell, words: Tensor, order: number[]): Tensor[] {
    const states: Tensor[] = [];
    let h = zeros(words.shape[0], this.width);
    for (const t of order) {
      h = cell(words.select(1, t), h);
      states[t] = h;
    }
    return states;
  }
  forward(x: Tensor): Tensor {
    const words = this.words(x);
    const order = Array.from({ length: x.shape[1] }, (_, t) => t);
    const there = this.run(this.there, words, order);
    const back = this.run(this.back, words, [...order].reverse());
    const scores = order.map((t) => this.head(this.drop(cat([there[t], back[t]], 1))).unsqueeze(2));
    return cat(scores, 2);
  }
}

/** Characters one after the other with a state that goes from one batch to the next. */
export class StatefulGRU extends nn.Module {
  words: nn.Embedding;
  cell: GRUCell;
  head: nn.Linear;
  state: Tensor | null = null;
  constructor(
    vocabulary: number,
    readonly width = 32,
  ) {
    super();
    this.words = new nn.Embedding(vocabulary, 16);
    nn.init.normal_(this.words.weight, 0, 0.5);
    this.cell = new GRUCell(16, width);
    this.head = new nn.Linear(width, vocabulary);
  }
  forward(x: Tensor): Tensor {
    const words = this.words(x);
    let h: Tensor = this.state ?? zeros(x.shape[0], this.width);
    const scores: Tensor[] = [];
    for (let t = 0; t < x.shape[1]; t++) {
      h = this.cell(words.select(1, t), h);
      scores.push(this.head(h).unsqueeze(2));
    }
    this.state = noGrad(() => h.detach().clone());
    return cat(scores, 2);
  }
}

/** A GRU over numbers, [n, steps, inputs]: the last state answers. */
export class NumberGRU extends nn.Module {
  cell: GRUCell;
  head: nn.Linear;
  constructor(
    inputs: number,
    readonly width: number,
    outputs: number,
  ) {
    super();
    this.cell = new GRUCell(inputs, width);
    for (const { weight } of [this.cell.gates, this.cell.candidate]) nn.init.xavierUniform_(weight);
    this.head = new nn.Linear(width, outputs);
    // States begin small.
    nn.init.xavierUniform_(this.head.weight, { gain: 2 });
  }
  forward(x: Tensor): Tensor {
    // Signals of shape [n, channels, 1, steps] are read in time, too.
    const rows = x.ndim === 4 ? x.squeeze(2).transpose(1, 2) : x;
    let h = zeros(x.shape[0], this.width);
    for (let t = 0; t < rows.shape[1]; t++) h = this.cell(rows.select(1, t), h);
    return this.head(h);
  }
}

/** Attention over characters and a learned query that sums them up: int32 [n, steps]. */
export class PooledEncoder extends nn.Module {
  words: nn.Embedding;
  places: nn.Parameter;
  layers: nn.ModuleList;
  norm: nn.LayerNorm;
  ask: nn.Linear;
  drop: nn.Dropout;
  head: nn.Linear;
  constructor(
    vocabulary: number,
    steps: number,
    classes: number,
    { width = 32, depth = 1, dropout = 0.1, copied = false } = {},
  ) {
    super();
    this.words = new nn.Embedding(vocabulary, width);
    this.places = new nn.Parameter(randn(1, steps, width).mul(0.1));
    nn.init.normal_(this.words.weight, 0, 0.5);
    const make = () => (copied ? new CopiedAttention(width, 2) : new Attention(width, 2));
    this.layers = new nn.ModuleList(Array.from({ length: depth }, make));
    for (const layer of this.layers) {
      for (const p of layer.parameters()) if (p.ndim === 2) nn.init.xavierUniform_(p);
      // What attention reads is a mean of many, and small.
      nn.init.xavierUniform_((layer as Attention).out.weight, { gain: 2 });
    }
    this.norm = new nn.LayerNorm(width);
    this.ask = new nn.Linear(width, 1, { bias: false });
    this.drop = new nn.Dropout(dropout);
    this.head = new nn.Linear(width, classes);
  }
  forward(x: Tensor): Tensor {
    let h: Tensor = this.words(x).add(this.places);
    for (const layer of this.layers) h = (layer as Attention)(h);
    const normed = this.norm(h);
    const summed = normed.mul(F.softmax(this.ask(normed), 1)).sum(1);
    return this.head(this.drop(summed));
  }
}

/** The same layer's first norm where the second should be: what happens when a line is copied. */
class CopiedAttention extends Attention {
  override forward(x: Tensor): Tensor {
    const [n, steps, width] = x.shape;
    const split = this.all(this.norm1(x)).reshape([n, steps, 3, this.heads, width / this.heads]);
    const [q, k, v] = [0, 1, 2].map((i) => split.select(2, i).permute(0, 2, 1, 3));
    const scores = q.matmul(k.transpose(2, 3)).div(Math.sqrt(width / this.heads));
    const read = F.softmax(scores, 3).matmul(v).permute(0, 2, 1, 3).reshape([n, steps, width]);
    const h = x.add(this.out(read));
    return h.add(this.fc2(F.gelu(this.fc1(this.norm1(h)))));
  }
}

/** Each point by itself, then the highest of each feature (Qi et al., PointNet, CVPR 2017): [n, points, 2]. */
export class PointNet extends nn.Module {
  conv1 = new nn.Conv2d(2, 32, 1, { bias: false });
  norm1 = new nn.BatchNorm2d(32);
  conv2 = new nn.Conv2d(32, 48, 1, { bias: false });
  norm2 = new nn.BatchNorm2d(48);
  fc1 = new nn.Linear(48, 32);
  fc2: nn.Linear;
  constructor(classes: number) {
    super();
    this.fc2 = new nn.Linear(32, classes);
    for (const { weight } of [this.conv1, this.conv2, this.fc1, this.fc2]) nn.init.kaimingNormal_(weight);
  }
  forward(x: Tensor): Tensor {
    const points = x.transpose(1, 2).unsqueeze(2);
    const a = F.relu(this.norm1(this.conv1(points)));
    const b = this.norm2(this.conv2(a)).amax([2, 3]);
    return this.fc2(F.silu(this.fc1(b)));
  }
}

/** A linear answer and a deep one, added (Cheng et al., Wide & Deep, 2016). */
export class WideAndDeep extends nn.Module {
  wide: nn.Linear;
  deep: nn.Sequential;
  constructor(inputs: number, width = 32) {
    super();
    this.wide = new nn.Linear(inputs, 1);
    this.deep = new nn.Sequential(
      new nn.Linear(inputs, width),
      new nn.ELU(),
      new nn.Linear(width, width),
      new nn.ELU(),
      new nn.Linear(width, 1),
    );
  }
  forward(x: Tensor): Tensor {
    return this.wide(x).add(this.deep(x));
  }
}

/** Convolutions to a mean and a variance of eight numbers, and back; a variational autoencoder of 14 × 14 grey values. */
export class ConvVAE extends nn.Module {
  encoder = new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { stride: 2, padding: 1 }),
    new nn.LeakyReLU(0.1),
    new nn.Conv2d(8, 16, 3, { stride: 2, padding: 1 }),
    new nn.LeakyReLU(0.1),
    new nn.Flatten(),
  );
  mean = new nn.Linear(256, 8);
  logVariance = new nn.Linear(256, 8);
  decoder = new nn.Sequential(
    new nn.Linear(8, 16 * 49),
    new nn.LeakyReLU(0.1),
    new nn.Unflatten(1, [16, 7, 7]),
    new nn.ConvTranspose2d(16, 8, 2, { stride: 2 }),
    new nn.LeakyReLU(0.1),
    new nn.Conv2d(8, 1, 3, { padding: 1 }),
  );
  /** Of the last pass, a mean over the samples. */
  divergence: Tensor | null = null;
  forward(x: Tensor): Tensor {
    const h = this.encoder(x) as Tensor;
    const { z, divergence } = latent(this.mean(h), this.logVariance(h), this.training);
    this.divergence = divergence;
    return this.decoder(z) as Tensor;
  }
}

/** Signals through strided convolutions and back. */
export const signalCoder = (): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(3, 12, [1, 5], { stride: [1, 2], padding: [0, 2] }),
    new nn.ELU(),
    new nn.Conv2d(12, 12, [1, 5], { stride: [1, 2], padding: [0, 2] }),
    new nn.ELU(),
    new nn.ConvTranspose2d(12, 12, [1, 4], { stride: [1, 2], padding: [0, 1] }),
    new nn.ELU(),
    new nn.ConvTranspose2d(12, 3, [1, 4], { stride: [1, 2], padding: [0, 1] }),
  );

/** A node and the mean of its neighbours (Hamilton, Ying & Leskovec, GraphSAGE, NIPS 2017). */
export class Sage extends nn.Module {
  layers: nn.ModuleList;
  drop = new nn.Dropout(0.3);
  head: nn.Linear;
  constructor(
    readonly neighbours: Tensor,
    features: number,
    width: number,
    classes: number,
    depth = 1,
  ) {
    super();
    this.layers = new nn.ModuleList(
      Array.from({ length: depth }, (_, i) => new nn.Linear(2 * (i === 0 ? features : width), width)),
    );
    this.head = new nn.Linear(width, classes);
  }
  forward(x: Tensor): Tensor {
    let h = x;
    for (const layer of this.layers)
      h = F.leakyRelu((layer as nn.Linear)(cat([this.drop(h), this.neighbours.matmul(h)], 1)), 0.1);
    return this.head(this.drop(h));
  }
}

/** Convolutions with InstanceNorm (Ulyanov, Vedaldi & Lempitsky, 2016). */
export const instanceNet = (classes = 10): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(1, 12, 3, { padding: 1, stride: 2, bias: false }),
    new nn.InstanceNorm2d(12, { affine: true }),
    new nn.GELU(),
    new nn.Conv2d(12, 24, 3, { padding: 1, bias: false }),
    new nn.InstanceNorm2d(24, { affine: true }),
    new nn.GELU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(24 * 9, classes),
  );

/** Convolutions of 5 × 5 with an activation after each, the image halved twice. */
export const wideKernels = (depth: number, activation: Make, width = 12): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(1, width, 5, { padding: 2, stride: 2 }),
    activation(),
    ...Array.from({ length: depth - 1 }, (_, i) => [
      new nn.Conv2d(width, width, 5, { padding: 2, stride: i === 0 ? 2 : 1 }),
      activation(),
    ]).flat(),
    new nn.Flatten(),
    new nn.Linear(width * 16, 10),
  );

/** A softmax as it is written down in books: exponentials and their sum. */
export class BookSoftmax extends nn.Module {
  constructor(readonly body: nn.Module) {
    super();
  }
  forward(x: Tensor): Tensor {
    const powers = (this.body(x) as Tensor).exp();
    return powers.div(powers.sum(1, { keepdim: true }));
  }
}

/** A recurrence of tanh over signals, [n, channels, 1, steps]. */
export class SignalRNN extends nn.Module {
  input: nn.Linear;
  recurrent: nn.Linear;
  head: nn.Linear;
  constructor(
    inputs: number,
    readonly width: number,
    classes: number,
  ) {
    super();
    this.input = new nn.Linear(inputs, width);
    this.recurrent = new nn.Linear(width, width, { bias: false });
    this.head = new nn.Linear(width, classes);
  }
  forward(x: Tensor): Tensor {
    let h = zeros(x.shape[0], this.width);
    for (let t = 0; t < x.shape[3]; t += 2) h = this.input(x.select(3, t).squeeze(2)).add(this.recurrent(h)).tanh();
    return this.head(h);
  }
}
