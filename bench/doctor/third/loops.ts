/** Programs of the third series that the common loop does not fit. */
import { F, nn, noGrad, optim, rand, randn, type Tensor, tensor } from "lanegrad";
import { type Finding, watch } from "lanegrad/doctor";
import { mlp } from "../nets.js";
import { stridedCNN } from "../second/nets.js";
import * as second from "../second/tasks.js";

/**
 * A bandit with contexts, learned by its policy's gradient (Williams, REINFORCE, 1992) with a running mean as baseline. What is
 * watched is the mean reward, negative: the surrogate loss has a useful gradient, its value says nothing.
 */
export function bandit(): Finding[] {
  const [contexts, arms] = [8, 5];
  const best = randn(contexts, arms).keep();
  const policy = mlp([contexts, 32, arms], () => new nn.Tanh());
  const optimizer = new optim.Adam(policy.parameters(), { lr: 5e-3 });
  const doctor = watch(policy, optimizer);
  let baseline = 0;
  for (let step = 0; step < 400; step++) {
    const x = randn(64, contexts);
    const log = F.logSoftmax(policy(x), 1);
    const [arm, reward] = noGrad(() => {
      const gumbel = rand(64, arms).mul(0.999).add(5e-4).log().neg().log().neg();
      const drawn = log.add(gumbel).argmax(1);
      return [drawn, drawn.eq(x.matmul(best).argmax(1)).float().add(randn(64).mul(0.1))];
    });
    const chosen = log.gather(1, arm.unsqueeze(1)).squeeze(1);
    const entropy = log.exp().mul(log).sum(1).mean().neg();
    const loss = chosen.mul(reward.sub(baseline)).mean().neg().sub(entropy.mul(0.01));
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    const mean = reward.mean().item();
    baseline += 0.1 * (mean - baseline);
    doctor.step(-mean);
  }
  const findings = doctor.findings();
  doctor.stop();
  return findings;
}

/** Validated with a running mean of the weights (Polyak & Juditsky, 1992), which is put in their place for that time. */
export function averaged(): Finding[] {
  const task = second.garments();
  const net = stridedCNN(true);
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.02, momentum: 0.9 });
  const doctor = watch(net, optimizer);
  const mean = noGrad(() => net.parameters().map((p) => p.detach().clone().keep()));
  const batches = task.batches(32);
  for (let step = 1; step <= 400; step++) {
    const [x, y] = batches();
    optimizer.zeroGrad();
    const loss = F.crossEntropy(net(x), y);
    loss.backward();
    optimizer.step();
    noGrad(() => {
      net.parameters().forEach((p, i) => {
        mean[i].add_(p.sub(mean[i]), { alpha: 0.02 });
      });
    });
    doctor.step(loss);
    if (step % 50 !== 0) continue;
    net.eval();
    noGrad(() => {
      const own = net.parameters().map((p) => p.clone());
      net.parameters().forEach((p, i) => {
        p.copy_(mean[i]);
      });
      const outputs = net(task.test[0]);
      doctor.validate({
        loss: F.crossEntropy(outputs, task.test[1]).item(),
        accuracy: outputs.argmax(1).eq(task.test[1]).float().mean().item(),
      });
      net.parameters().forEach((p, i) => {
        p.copy_(own[i]);
      });
    });
    net.train();
  }
  const findings = doctor.findings();
  doctor.stop();
  return findings;
}

/**
 * A star of seven states, a linear value and its own guess as target, all states updated alike whatever the policy would visit: the
 * counterexample of Baird (ICML 1995), in which no rate is small enough.
 */
export function star(): Finding[] {
  const rows = Array.from({ length: 7 }, (_, state) =>
    Array.from({ length: 8 }, (_, i) =>
      state < 6 ? (i === state ? 2 : i === 7 ? 1 : 0) : i === 6 ? 1 : i === 7 ? 2 : 0,
    ),
  );
  const features = tensor(rows);
  const value = new nn.Linear(8, 1, { bias: false });
  noGrad(() => value.weight.copy_(tensor([[1, 1, 1, 1, 1, 1, 10, 1]])));
  const optimizer = new optim.SGD(value.parameters(), { lr: 0.03 });
  const doctor = watch(value, optimizer);
  for (let step = 0; step < 400; step++) {
    const target = noGrad(() =>
      value(features.narrow(0, 6, 1))
        .mul(0.99)
        .expand(7, 1)
        .clone(),
    );
    optimizer.zeroGrad();
    const loss = F.mseLoss(value(features) as Tensor, target);
    loss.backward();
    optimizer.step();
    doctor.step(loss);
  }
  const findings = doctor.findings();
  doctor.stop();
  return findings;
}
