/** The architectures of the suite. */
import { cat, F, nn, noGrad, type Tensor, zeros } from "lanegrad";

type Make = () => nn.Module;

/** Flatten, then fully connected layers of these sizes with an activation between. */
export function mlp(sizes: readonly number[], activation: Make = () => new nn.ReLU()): nn.Sequential {
  const layers = sizes.slice(1).flatMap((size, i) => {
    const linear = new nn.Linear(sizes[i], size);
    return i === sizes.length - 2 ? [linear] : [linear, activation()];
  });
  return new nn.Sequential(new nn.Flatten(), ...layers);
}

/** Two convolutions for 14 × 14 images, in the style of PyTorch's examples: activations are functions. */
export class CNN extends nn.Module {
  conv1 = new nn.Conv2d(1, 8, 3, { padding: 1 });
  conv2 = new nn.Conv2d(8, 16, 3, { padding: 1 });
  fc1 = new nn.Linear(16 * 9, 32);
  fc2: nn.Linear;
  constructor(
    classes = 10,
    readonly activation: (x: Tensor) => Tensor = F.relu,
  ) {
    super();
    this.fc2 = new nn.Linear(32, classes);
  }
  forward(x: Tensor): Tensor {
    const a = F.maxPool2d(this.activation(this.conv1(x)), 2);
    const b = F.maxPool2d(this.activation(this.conv2(a)), 2);
    return this.fc2(this.activation(this.fc1(b.flatten(1))));
  }
}

/** Convolutions with BatchNorm, and Dropout at the end. */
export const normedCNN = (dropout = 0.2): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(8, 16, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(16),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Dropout(dropout),
    new nn.Linear(16 * 9, 10),
  );

class Block extends nn.Module {
  norm: nn.LayerNorm;
  fc1: nn.Linear;
  fc2: nn.Linear;
  constructor(width: number) {
    super();
    this.norm = new nn.LayerNorm(width);
    this.fc1 = new nn.Linear(width, 2 * width);
    this.fc2 = new nn.Linear(2 * width, width);
  }
  forward(x: Tensor): Tensor {
    return x.add(this.fc2(F.gelu(this.fc1(this.norm(x)))));
  }
}

/** A stem, residual blocks with LayerNorm, a head. */
export class ResidualMLP extends nn.Module {
  stem: nn.Linear;
  blocks: nn.ModuleList;
  head: nn.Linear;
  constructor(inputs: number, width: number, depth: number, classes: number) {
    super();
    this.stem = new nn.Linear(inputs, width);
    this.blocks = new nn.ModuleList(Array.from({ length: depth }, () => new Block(width)));
    this.head = new nn.Linear(width, classes);
  }
  forward(x: Tensor): Tensor {
    let h: Tensor = this.stem(x.flatten(1));
    for (const block of this.blocks) h = (block as Block)(h);
    return this.head(h);
  }
}

/** Convolutions with BatchNorm around a skip. */
export class SmallResNet extends nn.Module {
  conv1 = new nn.Conv2d(1, 12, 3, { padding: 1, stride: 2, bias: false });
  bn1 = new nn.BatchNorm2d(12);
  conv2 = new nn.Conv2d(12, 12, 3, { padding: 1, bias: false });
  bn2 = new nn.BatchNorm2d(12);
  conv3 = new nn.Conv2d(12, 12, 3, { padding: 1, bias: false });
  bn3 = new nn.BatchNorm2d(12);
  fc = new nn.Linear(12, 10);
  forward(x: Tensor): Tensor {
    const h = F.relu(this.bn1(this.conv1(x)));
    const branch = this.bn3(this.conv3(F.relu(this.bn2(this.conv2(h)))));
    return this.fc(F.relu(branch.add(h)).mean([2, 3]));
  }
}

/** A recurrent net over [n, steps, inputs]. */
export class RNN extends nn.Module {
  input: nn.Linear;
  recurrent: nn.Linear;
  head: nn.Linear;
  constructor(
    inputs: number,
    readonly width: number,
    classes: number,
    readonly activation: (x: Tensor) => Tensor = (x) => x.tanh(),
  ) {
    super();
    this.input = new nn.Linear(inputs, width);
    this.recurrent = new nn.Linear(width, width, { bias: false });
    this.head = new nn.Linear(width, classes);
  }
  forward(x: Tensor): Tensor {
    let h = zeros(x.shape[0], this.width);
    for (let t = 0; t < x.shape[1]; t++) h = this.activation(this.input(x.select(1, t)).add(this.recurrent(h)));
    return this.head(h);
  }
}

/** A recurrent net with an update gate (minimal gated unit). */
export class GatedRNN extends nn.Module {
  gate: nn.Linear;
  candidate: nn.Linear;
  head: nn.Linear;
  constructor(
    inputs: number,
    readonly width: number,
    classes: number,
  ) {
    super();
    this.gate = new nn.Linear(inputs + width, width);
    this.candidate = new nn.Linear(inputs + width, width);
    this.head = new nn.Linear(width, classes);
  }
  forward(x: Tensor): Tensor {
    let h = zeros(x.shape[0], this.width);
    for (let t = 0; t < x.shape[1]; t++) {
      const step = x.select(1, t);
      const z = this.gate(cat([step, h], 1)).sigmoid();
      const c = this.candidate(cat([step, h.mul(z)], 1)).tanh();
      h = h.add(z.mul(c.sub(h)));
    }
    return this.head(h);
  }
}

/** Mean of word vectors. */
export class TextNet extends nn.Module {
  words = new nn.Embedding(50, 16);
  fc1 = new nn.Linear(16, 32);
  fc2 = new nn.Linear(32, 3);
  forward(x: Tensor): Tensor {
    return this.fc2(F.relu(this.fc1(this.words(x).mean(1))));
  }
}

/** 14 × 14 images through a bottleneck. */
export const autoencoder = (): nn.Sequential =>
  new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(196, 64),
    new nn.ReLU(),
    new nn.Linear(64, 12),
    new nn.Linear(12, 64),
    new nn.ReLU(),
    new nn.Linear(64, 196),
  );

/** Calls fn with all weights (two dims or more) of a net. */
export function eachWeight(net: nn.Module, fn: (weight: Tensor, name: string) => void): nn.Module {
  noGrad(() => {
    for (const [name, p] of net.namedParameters()) if (p.ndim >= 2) fn(p, name);
  });
  return net;
}

/** Calls fn with all biases of a net. */
export function eachBias(net: nn.Module, fn: (bias: Tensor, name: string) => void): nn.Module {
  noGrad(() => {
    for (const [name, p] of net.namedParameters()) if (name.endsWith("bias")) fn(p, name);
  });
  return net;
}
