/**
 * A regression net whose gradients are clipped before every step: the cure for exploding gradients.
 *
 *   npx tsx examples/clip-gradients.ts
 */
import { data, F, manualSeed, nn, optim, randn, type Tensor } from "lanegrad";

manualSeed(0);

class Net extends nn.Module {
  fc1 = new nn.Linear(10, 100);
  fc2 = new nn.Linear(100, 100);
  fc3 = new nn.Linear(100, 1);

  forward(x: Tensor) {
    x = F.relu(this.fc1(x));
    x = F.relu(this.fc2(x));
    return this.fc3(x);
  }
}

const net = new Net();
const criterion = new nn.MSELoss();
const optimizer = new optim.SGD(net.parameters(), { lr: 0.01 });

// y = the sum of the inputs, with a little noise.
const inputs = randn(512, 10);
const targets = inputs.sum(1, { keepdim: true }).add(randn(512, 1).mul(0.1));
const trainLoader = new data.DataLoader(new data.TensorDataset(inputs, targets), { batchSize: 32, shuffle: true });

for (let epoch = 0; epoch < 10; epoch++) {
  let runningLoss = 0;
  let largestNorm = 0;
  for (const [inputs, labels] of trainLoader) {
    optimizer.zeroGrad();
    const outputs = net(inputs);
    const loss = criterion(outputs, labels);
    loss.backward();
    const norm = nn.utils.clipGradNorm_(net.parameters(), 1);
    optimizer.step();
    runningLoss += loss.item();
    largestNorm = Math.max(largestNorm, norm);
  }
  const mean = (runningLoss / trainLoader.length).toFixed(4);
  console.log(`epoch ${epoch + 1}: loss ${mean}, largest gradient norm before clipping ${largestNorm.toFixed(2)}`);
}
