/**
 * A ReLU of one's own: forward and backward written out as an autograd.Function, wrapped in an nn.Module.
 *
 *   npx tsx examples/custom-relu.ts
 */
import { pathToFileURL } from "node:url";
import { autograd, manualSeed, nn, randn, type Tensor } from "lanegrad";

// #region relu
class CustomReLUFunction extends autograd.Function {
  static override forward(ctx: autograd.Context, input: Tensor) {
    ctx.saveForBackward(input);
    return input.clamp({ min: 0 });
  }

  static override backward(ctx: autograd.Context, gradOutput: Tensor) {
    const [input] = ctx.savedTensors;
    const gradInput = gradOutput.clone();
    gradInput.indexPut_([input.lt(0)], 0);
    return gradInput;
  }
}

export class CustomReLU extends nn.Module {
  forward(x: Tensor) {
    return CustomReLUFunction.apply(x);
  }
}
// #endregion

// The article trains with it (examples/article/): only when this file is the program, it shows what it does.
if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  manualSeed(0);
  const relu = new CustomReLU();
  const x = randn([2, 3], { requiresGrad: true });
  const y = relu(x);
  y.sum().backward();

  console.log(`x = ${x}`);
  console.log(`relu(x) = ${y}`);
  console.log(`its gradient, 1 where x ≥ 0: ${x.grad}`);
  console.log(
    `agrees with finite differences: ${autograd.gradcheck(CustomReLUFunction.apply.bind(CustomReLUFunction), x)}`,
  );
}
