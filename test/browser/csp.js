// The built package, as a page imports it, under the policy that scripts/test-browser.mjs serves csp.html with.
import { backend, F, getNumThreads, manualSeed, nn, optim, randn, setNumThreads } from "../../dist/index.js";
import { announce } from "./desk.ts";

function learn() {
  manualSeed(0);
  const net = new nn.Sequential(new nn.Linear(2, 128), new nn.ReLU(), new nn.Linear(128, 1));
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.05 });
  const losses = [];
  for (let step = 0; step < 200; step++) {
    const x = randn(256, 2);
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

/** What becomes of two threads: refused, or a run on them. */
async function onThreads() {
  try {
    await setNumThreads(2);
  } catch (error) {
    await setNumThreads("auto");
    return { refused: `${error.name}: ${error.message}`, auto: getNumThreads() };
  }
  return { now: getNumThreads(), ...learn() };
}

async function run() {
  try {
    return { evalRefused: evalRefused(), ...learn(), threads: await onThreads() };
  } catch (error) {
    return { evalRefused: evalRefused(), error: `${error.name}: ${error.message}` };
  }
}
const outcome = run();
globalThis.outcome = () => outcome;
announce();
