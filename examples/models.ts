/** The networks of the examples, of the tests that follow PyTorch's runs, and of the bench. */
import { F, nn, type Tensor } from "lanegrad";

/** Fully connected: [N, 1, 28, 28] → [N, 10]. */
export class MLP extends nn.Module {
  fc1: nn.Linear;
  fc2: nn.Linear;
  fc3: nn.Linear;

  /** @param width of the first hidden layer; the second has half of it */
  constructor(width = 256) {
    super();
    const half = Math.floor(width / 2);
    this.fc1 = new nn.Linear(28 * 28, width);
    this.fc2 = new nn.Linear(width, half);
    this.fc3 = new nn.Linear(half, 10);
  }

  forward(x: Tensor): Tensor {
    x = x.flatten(1);
    x = F.relu(this.fc1(x));
    x = F.relu(this.fc2(x));
    return this.fc3(x);
  }
}

/** Two convolutions, each followed by a pool, and two linear layers: [N, 1, 28, 28] → [N, 10]. */
export class CNN extends nn.Module {
  conv1 = new nn.Conv2d(1, 32, 3, { padding: 1 });
  conv2 = new nn.Conv2d(32, 64, 3, { padding: 1 });
  fc1 = new nn.Linear(64 * 7 * 7, 128);
  fc2 = new nn.Linear(128, 10);

  forward(x: Tensor): Tensor {
    x = F.maxPool2d(F.relu(this.conv1(x)), 2);
    x = F.maxPool2d(F.relu(this.conv2(x)), 2);
    x = x.flatten(1);
    x = F.relu(this.fc1(x));
    return this.fc2(x);
  }
}

/** A smaller one, with dropout before both linear layers: [N, 1, 28, 28] → [N, 10]. */
export class SmallCNN extends nn.Module {
  conv1 = new nn.Conv2d(1, 16, 3, { padding: 1 });
  conv2 = new nn.Conv2d(16, 32, 3, { padding: 1 });
  fc1 = new nn.Linear(32 * 7 * 7, 128);
  fc2 = new nn.Linear(128, 10);
  dropout: nn.Dropout;

  /** @param p the part of the activations that dropout takes away */
  constructor(p = 0) {
    super();
    this.dropout = new nn.Dropout(p);
  }

  forward(x: Tensor): Tensor {
    x = F.maxPool2d(F.relu(this.conv1(x)), 2);
    x = F.maxPool2d(F.relu(this.conv2(x)), 2);
    x = this.dropout(x.flatten(1));
    x = F.relu(this.fc1(x));
    return this.fc2(this.dropout(x));
  }
}

/**
 * What a block adds its output to where the sizes differ: "pad" takes every second pixel and adds channels of zeros (He et al.'s
 * option A, without parameters), "projection" is a 1×1 convolution (option B).
 */
export type Shortcut = "pad" | "projection";

/** Two 3×3 convolutions around which the input goes unchanged: relu(bn(conv(relu(bn(conv(x))))) + x). */
export class BasicBlock extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  bn2: nn.BatchNorm2d;
  projection: nn.Module | null = null;
  /** Channels of zeros before and after the input's, for the padded shortcut. */
  private readonly extra: readonly [number, number] | null = null;

  constructor(
    inChannels: number,
    channels: number,
    readonly stride: number,
    shortcut: Shortcut,
  ) {
    super();
    this.conv1 = new nn.Conv2d(inChannels, channels, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(channels);
    this.conv2 = new nn.Conv2d(channels, channels, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(channels);
    if (stride === 1 && inChannels === channels) return;
    if (shortcut === "projection") {
      const conv = new nn.Conv2d(inChannels, channels, 1, { stride, bias: false });
      this.projection = new nn.Sequential(conv, new nn.BatchNorm2d(channels));
    } else {
      const before = Math.floor((channels - inChannels) / 2);
      this.extra = [before, channels - inChannels - before];
    }
  }

  private shortcut(x: Tensor): Tensor {
    if (this.projection !== null) return this.projection(x);
    if (this.extra === null) return x;
    const every = `::${this.stride}`;
    return F.pad(x.at(":", ":", every, every), [0, 0, 0, 0, ...this.extra]);
  }

  forward(x: Tensor): Tensor {
    let out = F.relu(this.bn1(this.conv1(x)));
    out = this.bn2(this.conv2(out));
    return F.relu(out.add(this.shortcut(x)));
  }
}

/** Settings of `ResNet`. */
export interface ResNetOptions {
  /** Blocks in each of the three stages: 3 make ResNet-20, 5 ResNet-32, 9 ResNet-56 (default 3). */
  blocks?: number;
  /** Channels of the images (default 3). */
  channels?: number;
  classes?: number;
  /** Default "pad". */
  shortcut?: Shortcut;
}

/**
 * A residual network for small images, 6·blocks + 2 layers deep: [N, channels, 32, 32] → [N, classes].
 *
 * He, Zhang, Ren & Sun, "Deep residual learning for image recognition" (2015), §4.2.
 */
export class ResNet extends nn.Module {
  conv1: nn.Conv2d;
  bn1: nn.BatchNorm2d;
  layer1: nn.Sequential;
  layer2: nn.Sequential;
  layer3: nn.Sequential;
  fc: nn.Linear;

  constructor({ blocks = 3, channels = 3, classes = 10, shortcut = "pad" }: ResNetOptions = {}) {
    super();
    const stage = (inChannels: number, width: number, stride: number) =>
      new nn.Sequential(
        ...Array.from({ length: blocks }, (_, i) =>
          i === 0 ? new BasicBlock(inChannels, width, stride, shortcut) : new BasicBlock(width, width, 1, shortcut),
        ),
      );
    this.conv1 = new nn.Conv2d(channels, 16, 3, { padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(16);
    this.layer1 = stage(16, 16, 1);
    this.layer2 = stage(16, 32, 2);
    this.layer3 = stage(32, 64, 2);
    this.fc = new nn.Linear(64, classes);
  }

  forward(x: Tensor): Tensor {
    x = F.relu(this.bn1(this.conv1(x)));
    x = this.layer3(this.layer2(this.layer1(x)));
    x = F.adaptiveAvgPool2d(x, 1).flatten(1);
    return this.fc(x);
  }
}
