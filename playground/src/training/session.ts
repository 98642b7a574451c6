/** The network that is trained, with all that belongs to its training. */
import { data, F, load, manualSeed, nn, noGrad, optim, save, type Tensor, tensor } from "lanegrad";
import { type ModelName, type Settings, SIDE } from "../settings.js";
import { type Digits, normalizePixels } from "./digits.js";
import { layersOf, makeNetwork, modelOf, type Network } from "./models.js";

/** A test image that was taken for another digit. */
export interface Mistake {
  /** 28 × 28 bytes, 255 is ink. */
  pixels: Uint8Array;
  read: number;
  is: number;
  /** How sure the network was, from 0 to 1. */
  sure: number;
}

/** So many mistakes are shown. */
const SHOWN = 24;
const TEST_BATCH = 250;

export class Session {
  private net: Network;
  private optimizer: optim.Optimizer;
  private readonly criterion = new nn.CrossEntropyLoss();

  constructor(
    private readonly digits: Digits,
    private settings: Settings,
  ) {
    // The same settings give the same run.
    manualSeed(0);
    this.net = makeNetwork(settings.model, settings.dropout);
    this.optimizer = this.makeOptimizer();
  }

  get model(): ModelName {
    return this.settings.model;
  }

  get layers(): string[] {
    return layersOf(this.net).map(([name]) => name);
  }

  get parameters(): number {
    return Array.from(this.net.parameters()).reduce((n, p) => n + p.numel(), 0);
  }

  get trainingImages(): number {
    return this.digits.train.plain.length;
  }

  private makeOptimizer(): optim.Optimizer {
    const { optimizer, lr } = this.settings;
    const parameters = this.net.parameters();
    if (optimizer === "SGD") return new optim.SGD(parameters, { lr, momentum: 0.9 });
    return new optim[optimizer](parameters, { lr });
  }

  /**
   * Takes over what can change while the network is trained: all but the model.
   *
   * @returns whether batches are made otherwise now, so that an epoch under way is to be begun anew
   */
  adjust(settings: Settings): boolean {
    const before = this.settings;
    this.settings = { ...settings, model: before.model };
    this.net.dropout.p = settings.dropout;
    if (settings.optimizer !== before.optimizer) this.optimizer = this.makeOptimizer();
    for (const group of this.optimizer.paramGroups) group.lr = settings.lr;
    return settings.batchSize !== before.batchSize || settings.augment !== before.augment;
  }

  /** The batches of an epoch. */
  batches(): Iterable<[images: Tensor, labels: Tensor, ...rest: Tensor[]]> {
    const { train } = this.digits;
    const { augment, batchSize } = this.settings;
    return new data.DataLoader(augment ? train.augmented : train.plain, { batchSize, shuffle: true });
  }

  /** A step of training. `correct`: how many of the batch it read rightly before. */
  step(images: Tensor, labels: Tensor): { loss: number; correct: number } {
    this.net.train();
    this.optimizer.zeroGrad();
    const outputs = this.net(images);
    const loss = this.criterion(outputs, labels);
    loss.backward();
    this.optimizer.step();
    return { loss: loss.item(), correct: outputs.argmax(1).eq(labels).sum().item() };
  }

  /** The lengths of the last step's gradients, layer by layer, weight and bias together. */
  gradientNorms(): number[] {
    return layersOf(this.net).map(([, layer]) =>
      Math.hypot(...Array.from(layer.parameters(), (p) => p.grad?.norm().item() ?? 0)),
    );
  }

  private probabilities(images: Tensor): Tensor {
    this.net.eval();
    return noGrad(() => F.softmax(this.net(images), 1));
  }

  /** What the network says to the test images. Between batches it awaits `rest`. */
  async test(rest: () => Promise<void>): Promise<{ loss: number; wrong: number; of: number; mistakes: Mistake[] }> {
    const { test } = this.digits;
    const mistakes: (Omit<Mistake, "pixels"> & { index: number })[] = [];
    let [loss, index] = [0, 0];
    for (const [images, labels] of new data.DataLoader(test, { batchSize: TEST_BATCH })) {
      await rest();
      const answers = this.probabilities(images);
      const given = answers.toTypedArray();
      const read = answers.argmax(1).toTypedArray();
      const targets = labels.toTypedArray();
      targets.forEach((is, i) => {
        loss -= Math.log(Math.max(given[10 * i + is], 1e-12));
        if (read[i] !== is) mistakes.push({ index: index + i, read: read[i], is, sure: given[10 * i + read[i]] });
      });
      index += targets.length;
    }
    mistakes.sort((a, b) => b.sure - a.sure);
    const pixels = (i: number) => test.data.select(0, i).toTypedArray() as Uint8Array;
    const shown = mistakes.slice(0, SHOWN).map(({ index: i, ...mistake }) => ({ ...mistake, pixels: pixels(i) }));
    return { loss: loss / test.length, wrong: mistakes.length, of: test.length, mistakes: shown };
  }

  /** How likely each digit is. @param pixels 28 × 28, from 0 to 1 for ink */
  read(pixels: Float32Array): number[] {
    const image = tensor(normalizePixels(pixels), { shape: [1, 1, SIDE, SIDE] });
    return Array.from(this.probabilities(image).toTypedArray());
  }

  /** A test image and its label. */
  example(index: number): { pixels: Uint8Array; label: number } {
    const { test } = this.digits;
    const i = index % test.length;
    return { pixels: test.data.select(0, i).toTypedArray() as Uint8Array, label: test.targets.select(0, i).item() };
  }

  /** The weights as a safetensors file. */
  save(): Uint8Array<ArrayBuffer> {
    return save(this.net.stateDict(), {
      metadata: { model: this.model, input: "28x28, ink 1 on paper 0, minus 0.1307, over 0.3081" },
    });
  }

  /** A session that begins with the weights of a file, of whichever model they are. */
  static load(digits: Digits, settings: Settings, file: Uint8Array): Session {
    const weights = load(file);
    const model = modelOf(Object.keys(weights));
    if (model === null) {
      const names = Object.keys(weights).slice(0, 4).join(", ");
      throw new Error(`These weights are of another network: found ${names || "none"} …`);
    }
    const session = new Session(digits, { ...settings, model });
    session.net.loadStateDict(weights);
    return session;
  }
}
