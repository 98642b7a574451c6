/**
 * What took the place of the programs of the second series that had shown a rule to be wrong: the same difficulties, in other nets
 * and on other tasks. Written after the rules were corrected, before they were run.
 */
import { cat, F, manualSeed, nn, noGrad, optim, randn, type Tensor, tensor } from "lanegrad";
import { type Finding, type RuleId, watch } from "lanegrad/doctor";
import * as firstNets from "../nets.js";
import { examine, type Program, type Recipe } from "../program.js";
import * as firstTasks from "../tasks.js";
import * as nets from "./nets.js";
import * as tasks from "./tasks.js";

const program = (name: string, run: () => Finding[]): Program => ({
  name: `healthy: ${name}`,
  sick: [],
  run: (shift = 0) => {
    manualSeed(47 + shift);
    return run();
  },
});
const healthy = (name: string, recipe: () => Recipe): Program => program(name, () => examine(recipe()));
const sick = (id: RuleId, name: string, also: readonly RuleId[], recipe: () => Recipe): Program => ({
  name: `${id}: ${name}`,
  sick: [id],
  also,
  run: (shift = 0) => {
    manualSeed(47 + shift);
    return examine(recipe());
  },
});
const adam = (lr: number) => (net: nn.Module) => new optim.Adam(net.parameters(), { lr });
const sgd = (lr: number, momentum: number) => (net: nn.Module) => new optim.SGD(net.parameters(), { lr, momentum });

/** Residual blocks whose last layer begins with zeros, so that each block begins as the identity (Zhang et al., Fixup, ICLR 2019). */
function identityAtFirst(): nn.Module {
  const net = new firstNets.ResidualMLP(196, 48, 3, 10);
  for (const block of net.blocks) nn.init.zeros_((block as unknown as { fc2: nn.Linear }).fc2.weight);
  nn.init.zeros_(net.head.weight);
  return net;
}

/** A critic with clipped weights, three steps for one of the generator's (Arjovsky et al., 2017), on garments of one kind. */
function wasserstein(): Finding[] {
  const generator = firstNets.mlp([8, 64, 196]);
  const critic = firstNets.mlp([196, 64, 1], () => new nn.LeakyReLU(0.2));
  const optG = new optim.RMSprop(generator.parameters(), { lr: 5e-4 });
  const optC = new optim.RMSprop(critic.parameters(), { lr: 5e-4 });
  const real = tasks.drawing({ count: 1000 }).batches(32);
  const doctors = [watch(generator, optG), watch(critic, optC)];
  for (let step = 0; step < 250; step++) {
    let lossC = 0;
    for (let i = 0; i < 3; i++) {
      const fake = noGrad(() => generator(randn(32, 8)));
      const loss = critic(fake).mean().sub(critic(real()[0]).mean());
      optC.zeroGrad();
      loss.backward();
      optC.step();
      noGrad(() => {
        for (const p of critic.parameters()) p.clamp_({ min: -0.05, max: 0.05 });
      });
      lossC = loss.item();
    }
    doctors[1].step(lossC);
    const lossG = critic(generator(randn(32, 8)))
      .mean()
      .neg();
    optG.zeroGrad();
    lossG.backward();
    optG.step();
    doctors[0].step(lossG);
  }
  const findings = doctors.flatMap((doctor) => doctor.findings());
  for (const doctor of doctors) doctor.stop();
  return findings;
}

/** Encoder and decoder, called one after the other and never as a whole. */
class Halves extends nn.Module {
  encoder = firstNets.mlp([196, 64, 16]);
  decoder = firstNets.mlp([16, 64, 196]);
  forward(x: Tensor): Tensor {
    return this.decoder(this.encoder(x));
  }
}

function calledInParts(): Finding[] {
  const net = new Halves();
  const optimizer = new optim.Adam(net.parameters(), { lr: 2e-3 });
  const batches = tasks.drawing().batches(32);
  const doctor = watch(net, optimizer);
  for (let step = 0; step < 250; step++) {
    const [x, y] = batches();
    optimizer.zeroGrad();
    const code = net.encoder(x);
    const loss = F.mseLoss(net.decoder(code), y.flatten(1)).add(code.square().mean().mul(1e-3));
    loss.backward();
    optimizer.step();
    doctor.step(loss);
  }
  const findings = doctor.findings();
  doctor.stop();
  return findings;
}

export const HEALTHY: Program[] = [
  healthy("the next character, Transformer, limit near the usual norm", () => {
    const task = tasks.characters({ length: 12 });
    return {
      net: new nets.Encoder(task.vocabulary, 12, task.vocabulary),
      task,
      optimizer: adam(3e-3),
      clip: 1,
      steps: 250,
    };
  }),
  healthy("garments, residual blocks that begin as the identity", () => ({
    net: identityAtFirst(),
    task: tasks.garments(),
    optimizer: adam(2e-3),
    steps: 250,
  })),
  healthy("garments, residual CNN whose last BatchNorm begins with gains of zero", () => {
    const net = new firstNets.SmallResNet();
    nn.init.zeros_(net.bn3.weight as Tensor);
    return { net, task: tasks.garments(), optimizer: adam(5e-3), steps: 250 };
  }),
  healthy("moons, tiny branches at first: weights of zero in two of four layers", () => {
    class Branches extends nn.Module {
      stem = new nn.Linear(2, 24);
      up = new nn.Linear(24, 24);
      down = new nn.Linear(24, 24);
      head = new nn.Linear(24, 1);
      forward(x: Tensor): Tensor {
        const h = F.silu(this.stem(x));
        return this.head(h.add(this.down(F.silu(this.up(h)))));
      }
    }
    const net = new Branches();
    nn.init.zeros_(net.down.weight);
    nn.init.zeros_(net.head.weight);
    return { net, task: firstTasks.moons(), optimizer: adam(5e-3), steps: 300 };
  }),
  healthy("a series, two at a time", () => ({
    net: nets.forecaster(),
    task: tasks.series(),
    loss: (outputs, targets) => F.huberLoss(outputs, targets),
    optimizer: adam(1e-3),
    batch: 2,
    steps: 1000,
    validate: 200,
  })),
  healthy("texts, three at a time", () => ({
    net: new firstNets.TextNet(),
    task: firstTasks.texts(),
    optimizer: adam(5e-3),
    batch: 3,
    steps: 800,
    validate: 160,
  })),
  healthy("outlines, U-Net, two images at a time", () => ({
    net: new nets.UNet(),
    task: tasks.outlines(),
    optimizer: adam(2e-3),
    batch: 2,
    steps: 500,
    validate: 100,
  })),
  healthy("black and white garments, convolutional autoencoder, binary cross entropy", () => {
    const base = tasks.drawing();
    const black = ([x, y]: [Tensor, Tensor]): [Tensor, Tensor] => [x, y.gt(0.3).float().clone()];
    return {
      net: nets.convAutoencoder(),
      task: firstTasks.task(
        noGrad(() => black(base.train)),
        noGrad(() => black(base.test)),
        "numbers",
      ),
      loss: (outputs, targets) => F.binaryCrossEntropy(outputs, targets),
      optimizer: adam(3e-3),
      steps: 250,
    };
  }),
  program("a Wasserstein GAN, three steps of the critic for one", wasserstein),
  program("an autoencoder whose parts are called one by one", calledInParts),
  healthy("customers, one at a time", () => ({
    net: firstNets.mlp([6, 24, 2], () => new nn.Tanh()),
    task: tasks.customers(),
    optimizer: sgd(0.01, 0),
    batch: 1,
    steps: 1500,
    validate: 300,
  })),
  healthy("eight garments learned by heart by a CNN", () => ({
    net: nets.stridedCNN(),
    task: tasks.garments({ count: 8 }),
    optimizer: adam(2e-3),
    batch: 8,
    steps: 250,
    validate: 0,
  })),
  healthy("a table of unequal classes, cross entropy with weights", () => ({
    net: firstNets.mlp([20, 32, 4]),
    task: firstTasks.imbalanced(firstTasks.table({ count: 6000 }), 15),
    loss: (outputs, targets) => F.crossEntropy(outputs, targets, { weight: tensor([0.1, 1.5, 1.5, 1.5]) }),
    optimizer: adam(2e-3),
    steps: 250,
  })),
  healthy("points, a net of sines and products, Adagrad", () => {
    class Sines extends nn.Module {
      fc1 = new nn.Linear(8, 32);
      fc2 = new nn.Linear(64, 1);
      forward(x: Tensor): Tensor {
        const h = this.fc1(x);
        return this.fc2(cat([h.sin(), h.mul(h).mul(0.3)], 1));
      }
    }
    return {
      net: new Sines(),
      task: firstTasks.regression(),
      optimizer: (net) => new optim.Adagrad(net.parameters(), { lr: 0.05 }),
      steps: 400,
      validate: 100,
    };
  }),
];

export const SICK: Program[] = [
  sick("overfitting", "a noisy series, forty examples, convolutions over time", ["overtraining"], () => ({
    net: nets.forecaster(),
    task: tasks.series({ count: 40, noise: 0.7 }),
    optimizer: adam(3e-3),
    batch: 20,
    steps: 500,
    validate: 25,
  })),
  sick("underfitting", "garments, most of the units dropped", [], () => ({
    net: new nn.Sequential(
      new nn.Flatten(),
      new nn.Dropout(0.9),
      new nn.Linear(196, 12),
      new nn.ReLU(),
      new nn.Dropout(0.8),
      new nn.Linear(12, 10),
    ),
    task: tasks.garments(),
    optimizer: adam(1e-2),
    steps: 600,
    validate: 60,
  })),
  sick("underfitting", "sixteen points of three spirals, and a line to part them", [], () => ({
    net: firstNets.mlp([2, 3]),
    task: tasks.spirals({ count: 16 }),
    optimizer: adam(3e-2),
    batch: 16,
    steps: 500,
    validate: 0,
  })),
  sick("underfitting", "twenty-four points of three spirals, one hidden unit", ["saturated-activation"], () => ({
    net: firstNets.mlp([2, 1, 3], () => new nn.Tanh()),
    task: tasks.spirals({ count: 24 }),
    optimizer: adam(3e-2),
    batch: 24,
    steps: 800,
    validate: 0,
  })),
];
