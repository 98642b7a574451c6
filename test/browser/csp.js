// The built package, as a page imports it, under the policy that scripts/test-browser.mjs serves csp.html with.
import { backend, F, manualSeed, nn, optim, randn } from "../../dist/index.js";

function learn() {
  manualSeed(0);
  const net = new nn.Sequential(new nn.Linear(2, 16), new nn.ReLU(), new nn.Linear(16, 1));
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
  const losses = [];
  for (let step = 0; step < 200; step++) {
    const x = randn(64, 2);
    optimizer.zeroGrad();
    const loss = F.mseLoss(net(x), x.sum(1, { keepdim: true }));
    loss.backward();
    optimizer.step();
    losses.push(loss.item());
  }
  return { first: losses[0], last: losses.at(-1), backend: backend() };
}

/** `eval` must be refused, or the policy is not in force. */
function evalRefused() {
  try {
    new Function("return 1")();
    return false;
  } catch {
    return true;
  }
}

let outcome;
try {
  outcome = { evalRefused: evalRefused(), ...learn() };
} catch (error) {
  outcome = { evalRefused: evalRefused(), error: `${error.name}: ${error.message}` };
}
globalThis.outcome = outcome;
