/** The architectures of the second series. */
import { arange, cat, F, nn, randn, type Tensor, zeros } from "lanegrad";
import { ITEMS, USERS } from "./tasks.js";

/** Convolutions that halve the image by their stride, GELU between. */
export const stridedCNN = (normalized = false): nn.Sequential => {
  const block = (from: number, to: number) => [
    new nn.Conv2d(from, to, 3, { stride: 2, padding: 1 }),
    ...(normalized ? [new nn.GroupNorm(4, to)] : []),
    new nn.GELU(),
  ];
  return new nn.Sequential(
    ...block(1, 12),
    ...block(12, 24),
    ...block(24, 32),
    new nn.Flatten(),
    new nn.Linear(32 * 4, 10),
  );
};

/** Fully connected layers with BatchNorm, ReLU and Dropout. */
export const normedMLP = (sizes: readonly number[], dropout = 0.3): nn.Sequential =>
  new nn.Sequential(
    new nn.Flatten(),
    ...sizes
      .slice(1, -1)
      .flatMap((size, i) => [
        new nn.Linear(sizes[i], size),
        new nn.BatchNorm1d(size),
        new nn.ReLU(),
        new nn.Dropout(dropout),
      ]),
    new nn.Linear(sizes[sizes.length - 2], sizes[sizes.length - 1]),
  );

/** A GRU (Cho et al., 2014) over embedded symbols, int32 [n, steps]; `scale` multiplies the embedded inputs. */
export class GRU extends nn.Module {
  words: nn.Embedding;
  gates: nn.Linear;
  candidate: nn.Linear;
  head: nn.Linear;
  constructor(
    vocabulary: number,
    readonly width: number,
    classes: number,
    readonly scale = 1,
  ) {
    super();
    this.words = new nn.Embedding(vocabulary, 16);
    this.gates = new nn.Linear(16 + width, 2 * width);
    this.candidate = new nn.Linear(16 + width, width);
    this.head = new nn.Linear(width, classes);
  }
  forward(x: Tensor): Tensor {
    const words = this.words(x).mul(this.scale);
    let h = zeros(x.shape[0], this.width);
    for (let t = 0; t < x.shape[1]; t++) {
      const now = words.select(1, t);
      const [reset, update] = this.gates(cat([now, h], 1))
        .sigmoid()
        .chunk(2, 1);
      const c = this.candidate(cat([now, h.mul(reset)], 1)).tanh();
      h = c.add(update.mul(h.sub(c)));
    }
    return this.head(h);
  }
}

/** One head of attention and a feed-forward part, each after a LayerNorm and around a skip. */
class Layer extends nn.Module {
  norm1: nn.LayerNorm;
  query: nn.Linear;
  key: nn.Linear;
  value: nn.Linear;
  out: nn.Linear;
  norm2: nn.LayerNorm;
  fc1: nn.Linear;
  fc2: nn.Linear;
  drop: nn.Dropout;
  constructor(
    readonly width: number,
    dropout: number,
  ) {
    super();
    this.norm1 = new nn.LayerNorm(width);
    this.query = new nn.Linear(width, width);
    this.key = new nn.Linear(width, width);
    this.value = new nn.Linear(width, width);
    this.out = new nn.Linear(width, width);
    this.norm2 = new nn.LayerNorm(width);
    this.fc1 = new nn.Linear(width, 2 * width);
    this.fc2 = new nn.Linear(2 * width, width);
    this.drop = new nn.Dropout(dropout);
  }
  /** Which of the others each position reads, and how much of each. */
  weights(x: Tensor): Tensor {
    const scores = this.query(x).matmul(this.key(x).transpose(1, 2)).div(Math.sqrt(this.width));
    return F.softmax(scores, 2);
  }
  forward(x: Tensor): Tensor {
    const normed = this.norm1(x);
    const h = x.add(this.drop(this.out(this.weights(normed).matmul(this.value(normed)))));
    return h.add(this.drop(this.fc2(F.gelu(this.fc1(this.norm2(h))))));
  }
}

/** Reads the one position with the highest score and no other: argmax has no gradient. */
class HardLayer extends Layer {
  override weights(x: Tensor): Tensor {
    const scores = this.query(x).matmul(this.key(x).transpose(1, 2));
    return F.oneHot(scores.argmax(2), x.shape[1]).float();
  }
}

/** A Transformer's encoder over int32 [n, steps]; the mean of all positions is classified. */
export class Encoder extends nn.Module {
  words: nn.Embedding;
  places: nn.Embedding;
  layers: nn.ModuleList;
  norm: nn.LayerNorm;
  head: nn.Linear;
  constructor(
    vocabulary: number,
    steps: number,
    classes: number,
    { width = 32, depth = 2, dropout = 0.1, hard = false } = {},
  ) {
    super();
    this.words = new nn.Embedding(vocabulary, width);
    this.places = new nn.Embedding(steps, width);
    const make = () => (hard ? new HardLayer(width, dropout) : new Layer(width, dropout));
    this.layers = new nn.ModuleList(Array.from({ length: depth }, make));
    this.norm = new nn.LayerNorm(width);
    this.head = new nn.Linear(width, classes);
  }
  forward(x: Tensor): Tensor {
    let h = this.words(x).add(this.places(arange(0, x.shape[1]).int()));
    for (const layer of this.layers) h = (layer as Layer)(h);
    return this.head(this.norm(h).mean(1));
  }
}

/** A user's vector times an item's, and a bias of each (Koren, Bell & Volinsky, 2009). */
export class Factors extends nn.Module {
  users: nn.Embedding;
  items: nn.Embedding;
  userBias = new nn.Embedding(USERS, 1);
  itemBias = new nn.Embedding(ITEMS, 1);
  constructor(rank: number, deviation = 0.1) {
    super();
    this.users = new nn.Embedding(USERS, rank);
    this.items = new nn.Embedding(ITEMS, rank);
    for (const { weight } of [this.users, this.items]) nn.init.normal_(weight, 0, deviation);
    for (const { weight } of [this.userBias, this.itemBias]) nn.init.zeros_(weight);
  }
  forward(x: Tensor): Tensor {
    const [u, i] = [x.select(1, 0), x.select(1, 1)];
    const score = this.users(u).mul(this.items(i)).sum(1, { keepdim: true });
    return score.add(this.userBias(u)).add(this.itemBias(i));
  }
}

/** A code drawn from the normal distribution of this mean and variance (its mean, in evaluation), and the distance from the standard one, a mean over the samples. */
export function latent(mean: Tensor, logVariance: Tensor, training: boolean): { z: Tensor; divergence: Tensor } {
  const divergence = mean
    .square()
    .add(logVariance.exp())
    .sub(logVariance)
    .sub(1)
    .sum()
    .div(2 * mean.shape[0]);
  const z = training
    ? mean.add(
        logVariance
          .div(2)
          .exp()
          .mul(randn(...mean.shape)),
      )
    : mean;
  return { z, divergence };
}

/** A variational autoencoder of 14 × 14 grey values (Kingma & Welling, 2014). */
export class VAE extends nn.Module {
  encode = new nn.Linear(196, 64);
  mean = new nn.Linear(64, 8);
  logVariance = new nn.Linear(64, 8);
  decode1 = new nn.Linear(8, 64);
  decode2 = new nn.Linear(64, 196);
  /** Of the last pass, a mean over the samples. */
  divergence: Tensor | null = null;
  forward(x: Tensor): Tensor {
    const h = F.relu(this.encode(x.flatten(1)));
    const { z, divergence } = latent(this.mean(h), this.logVariance(h), this.training);
    this.divergence = divergence;
    return this.decode2(F.relu(this.decode1(z))).reshape(x.shape);
  }
}

/** A small U-Net: down once, up once, and the skip between. */
export class UNet extends nn.Module {
  down1 = new nn.Conv2d(1, 8, 3, { padding: 1 });
  norm1 = new nn.BatchNorm2d(8);
  down2 = new nn.Conv2d(8, 16, 3, { padding: 1 });
  norm2 = new nn.BatchNorm2d(16);
  up = new nn.ConvTranspose2d(16, 8, 2, { stride: 2 });
  join = new nn.Conv2d(16, 8, 3, { padding: 1 });
  head = new nn.Conv2d(8, 2, 1);
  forward(x: Tensor): Tensor {
    const a = F.relu(this.norm1(this.down1(x)));
    const b = F.relu(this.norm2(this.down2(F.maxPool2d(a, 2))));
    return this.head(F.relu(this.join(cat([this.up(b), a], 1))));
  }
}

/** Images through strided convolutions and back through transposed ones. */
export const convAutoencoder = (): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { stride: 2, padding: 1 }),
    new nn.LeakyReLU(0.1),
    new nn.Conv2d(8, 16, 3, { stride: 2, padding: 1 }),
    new nn.LeakyReLU(0.1),
    new nn.ConvTranspose2d(16, 8, 3, { stride: 2, padding: 1 }),
    new nn.LeakyReLU(0.1),
    new nn.ConvTranspose2d(8, 1, 2, { stride: 2 }),
    new nn.Sigmoid(),
  );

/** Convolutions over time, [n, 1, 1, 24] to [n, 1]. */
export const forecaster = (): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(1, 12, [1, 5]),
    new nn.SiLU(),
    new nn.Conv2d(12, 12, [1, 5], { stride: [1, 2] }),
    new nn.SiLU(),
    new nn.Flatten(),
    new nn.Linear(12 * 8, 32),
    new nn.SiLU(),
    new nn.Linear(32, 1),
  );

/** One tower for both images of a pair, [n, 2, 196]; gives their distances, [n, 1]. */
export class Siamese extends nn.Module {
  fc1 = new nn.Linear(196, 64);
  fc2 = new nn.Linear(64, 16);
  constructor(readonly eps = 1e-6) {
    super();
  }
  embed(x: Tensor): Tensor {
    return this.fc2(F.elu(this.fc1(x)));
  }
  forward(x: Tensor): Tensor {
    const difference = this.embed(x.select(1, 0)).sub(this.embed(x.select(1, 1)));
    return difference.square().sum(1, { keepdim: true }).add(this.eps).sqrt();
  }
}

/** Small distances for pairs of one kind, distances above 1 for others (Hadsell, Chopra & LeCun, CVPR 2006). */
export const contrastive = (distance: Tensor, alike: Tensor): Tensor =>
  alike
    .mul(distance.square())
    .add(
      alike
        .neg()
        .add(1)
        .mul(distance.neg().add(1).clamp({ min: 0 }).square()),
    )
    .mean();

/** One body, two answers beside each other: ten scores and two. */
export class TwoHeads extends nn.Module {
  fc1 = new nn.Linear(196, 64);
  kind = new nn.Linear(64, 10);
  half = new nn.Linear(64, 2);
  forward(x: Tensor): Tensor {
    const h = F.leakyRelu(this.fc1(x.flatten(1)));
    return cat([this.kind(h), this.half(h)], 1);
  }
}

/** A body of convolutions with BatchNorm, learned elsewhere, and a head for the task at hand. */
export class Transfer extends nn.Module {
  body = new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { padding: 1, stride: 2 }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.Conv2d(8, 16, 3, { padding: 1, stride: 2 }),
    new nn.BatchNorm2d(16),
    new nn.ReLU(),
    new nn.Flatten(),
  );
  head: nn.Module = new nn.Linear(16 * 16, 5);
  forward(x: Tensor): Tensor {
    return this.head(this.body(x));
  }
}
