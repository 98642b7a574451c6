/** lanegrad, as its users write it. */
import { backend, F, type Tensor as LanegradTensor, manualSeed, nn, noGrad, optim, tensor, transforms } from "lanegrad";
import { CNN, ResNet } from "../../../examples/models.js";
import { netData } from "../nets.js";
import {
  CHECKED_STEPS,
  type Elementwise,
  type Job,
  LR,
  labels,
  MEAN,
  MOMENTUM,
  type NetName,
  type Peer,
  pixels,
  STD,
  uniform,
  type Work,
} from "../work.js";

const values = (t: LanegradTensor) => Float32Array.from(t.toTypedArray());
const of = (data: Float32Array, ...shape: number[]) => tensor(data).reshape(...shape);

function resultOf(run: () => LanegradTensor): Job {
  return { run: () => noGrad(run).dispose(), check: () => values(noGrad(run)) };
}

const layers = (...sizes: number[]) =>
  new nn.Sequential(
    ...sizes.slice(1).flatMap((size, i) => {
      const linear = new nn.Linear(sizes[i], size);
      return i === sizes.length - 2 ? [linear] : [linear, new nn.ReLU()];
    }),
  );

const NETS: Record<NetName, () => nn.Module> = {
  mlp: () => layers(784, 256, 128, 10),
  small: () => layers(10, 100, 100, 10),
  cnn: () => new CNN(),
  resnet20: () => new ResNet(),
};

function netOf(name: NetName) {
  const { parameters, inputShape, inputs } = netData(name);
  const net = NETS[name]();
  noGrad(() => {
    [...net.parameters()].forEach((p, i) => {
      p.copy_(of(parameters[i].values, ...parameters[i].shape));
    });
  });
  return { net, x: of(inputs, ...inputShape), targets: tensor(labels(inputShape[0])) };
}

function step(name: NetName): Job {
  const { net, x, targets } = netOf(name);
  const optimizer = new optim.SGD(net.parameters(), { lr: LR, momentum: MOMENTUM });
  const run = () => {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(net(x), targets);
    loss.backward();
    nn.utils.clipGradNorm_(net.parameters(), 1);
    optimizer.step();
    return loss;
  };
  return { run, check: () => Float32Array.from({ length: CHECKED_STEPS }, () => run().item()) };
}

function augmentation(batch: number): Job {
  manualSeed(0);
  const augment = new transforms.Compose([
    new transforms.RandomCrop(32, { padding: 4 }),
    new transforms.RandomHorizontalFlip(),
    new transforms.ToTensor(),
    new transforms.Normalize(MEAN, STD),
  ]);
  const images = tensor(pixels(batch * 3 * 32 * 32)).reshape(batch, 3, 32, 32);
  return resultOf(() => augment(images) as LanegradTensor);
}

const ELEMENTWISE: Record<Elementwise, (x: LanegradTensor, y: LanegradTensor) => LanegradTensor> = {
  add: (x, y) => x.add(y),
  relu: (x) => F.relu(x),
  exp: (x) => x.exp(),
  tanh: (x) => x.tanh(),
};

function open(work: Work): Job {
  switch (work.kind) {
    case "matmul": {
      const { m, k, n } = work;
      const [a, b] = [of(uniform(1, m * k, -1, 1), m, k), of(uniform(2, k * n, -1, 1), k, n)];
      return resultOf(() => a.matmul(b));
    }
    case "linear": {
      const { batch, inputs, outputs } = work;
      const x = of(uniform(1, batch * inputs, -1, 1), batch, inputs);
      const weight = of(uniform(2, outputs * inputs, -1, 1), outputs, inputs);
      const bias = of(uniform(3, outputs, -1, 1), outputs);
      return resultOf(() => F.linear(x, weight, bias));
    }
    case "elementwise": {
      const [x, y] = [1, 2].map((seed) => tensor(uniform(seed, work.n, -3, 3)));
      return resultOf(() => ELEMENTWISE[work.op](x, y));
    }
    case "softmax": {
      const { rows, columns } = work;
      const x = of(uniform(1, rows * columns, -3, 3), rows, columns);
      return resultOf(() => F.softmax(x, 1));
    }
    case "forward": {
      const { net, x } = netOf(work.net);
      net.eval();
      return resultOf(() => net(x));
    }
    case "step":
      return step(work.net);
    case "augmentation":
      return augmentation(work.batch);
    case "first":
      return resultOf(() => tensor([1, 2]).add(1).sum());
  }
}

export default function load(): Peer {
  const { simd, threads } = backend();
  return { description: `${simd === "relaxed" ? "relaxed SIMD" : "SIMD"}, ${threads} thread`, open };
}
