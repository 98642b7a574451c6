/** Anomaly mode: the op, the layer and the ranges where the first value that is not finite appeared. */
import { autograd, F, manualSeed, NonFiniteError, nn, noGrad, randn, type Tensor, tensor, zeros } from "lanegrad";
import { describe, expect, test } from "vitest";

/** The error that fn throws in anomaly mode. */
function anomalyOf(fn: () => unknown, options = {}): NonFiniteError {
  try {
    autograd.detectAnomaly(fn, options);
  } catch (error) {
    expect(error).toBeInstanceOf(NonFiniteError);
    return error as NonFiniteError;
  }
  throw new Error("nothing was found");
}

class Block extends nn.Module {
  conv1 = new nn.Conv2d(2, 3, 3);
  norm = new nn.Identity();
  forward(x: Tensor): Tensor {
    return this.norm(this.conv1(x)).exp();
  }
}
class Net extends nn.Module {
  layers = new nn.Sequential(new nn.ReLU(), new nn.Identity(), new nn.Identity(), new Block());
  forward(x: Tensor): Tensor {
    return this.layers(x).mean();
  }
}

describe("in forward", () => {
  test("names the op, the layer's path and its class, and the ranges of what went in", () => {
    manualSeed(0);
    const net = new Net();
    noGrad(() => (net.layers as any)[3].conv1.weight.at(1, 0, 0).fill_(Number.NaN));
    const { message, anomaly } = anomalyOf(() => net(zeros(1, 2, 4, 4).add(0.5)));
    expect(message).toMatch(/^conv2d: its forward gave 4 NaN among 12 values, in layers\.3\.conv1 \(Conv2d\)\n/);
    expect(message).toMatch(/\n {2}input 0, \[1, 2, 4, 4\]: from 0\.5 to 0\.5\n/);
    expect(message).toMatch(
      /\n {2}input 1 \(layers\.3\.conv1\.weight\), \[3, 2, 3, 3\]: from -0\.\d+ to 0\.\d+, 3 NaN\n/,
    );
    expect(message).toMatch(/an input has NaN that no op has made: look at the data and the weights$/);
    expect(anomaly).toMatchObject({ op: "conv2d", phase: "forward", layer: "layers.3.conv1", layerType: "Conv2d" });
    expect(anomaly?.result).toMatchObject({ shape: [1, 3, 2, 2], nan: 4, inf: 0 });
    expect(anomaly?.inputs[1]).toMatchObject({ name: "input 1 (layers.3.conv1.weight)", nan: 3, inf: 0 });
    expect(anomaly?.inputs[0]).toMatchObject({ min: 0.5, max: 0.5, nan: 0, inf: 0 });
  });

  test("finds infinity where it is made, in the innermost module that called the op", () => {
    const net = new Net();
    noGrad(() => (net.layers as any)[3].conv1.bias.fill_(1000));
    const { message, anomaly } = anomalyOf(() => net(zeros(1, 2, 3, 3)));
    expect(message).toMatch(
      /^exp: its forward gave 3 ±Infinity among 3 values, in layers\.3 \(Block\)\n {2}input 0, .*: from 1000 to 1000$/,
    );
    expect(anomaly?.layer).toBe("layers.3");
  });

  test("outside modules, of the outermost module, of one that is not registered, of a loss", () => {
    expect(anomalyOf(() => tensor([0, -1]).log()).message).toMatch(
      /^log: .*1 NaN and 1 ±Infinity among 2 values, outside any module/,
    );
    expect(anomalyOf(() => tensor([1]).div(0)).message).toMatch(/^div: /);
    class Loose extends nn.Module {
      forward(x: Tensor): Tensor {
        return new nn.Linear(1, 1)(x.log());
      }
    }
    const loose = new Loose();
    expect(anomalyOf(() => loose(tensor([[0]]))).message).toMatch(/, in Loose\n/);
    expect(anomalyOf(() => loose(tensor([[Number.NaN]])), { checkNan: true }).anomaly?.layer).toBe("");
    const infinite = tensor([[Number.POSITIVE_INFINITY, 0]]);
    expect(anomalyOf(() => new nn.CrossEntropyLoss()(infinite, [0])).message).toMatch(/, in CrossEntropyLoss\n/);
    // The list of modules is empty again after an error.
    expect(anomalyOf(() => tensor([0]).log()).message).toMatch(/outside any module/);
  });

  test("infinities made on purpose, and what is computed from them, pass", () => {
    const scores = randn(2, 3);
    const mask = tensor([
      [false, true, false],
      [false, false, true],
    ]);
    const run = () => {
      const masked = scores.clone().requiresGrad_().maskedFill(mask, Number.NEGATIVE_INFINITY);
      const added = masked.add(1);
      return F.softmax(added, 1).square().sum();
    };
    expect(autograd.detectAnomaly(run).item()).toBeGreaterThan(0);
    autograd.detectAnomaly(() => run().backward());
    const bias = tensor([Number.NEGATIVE_INFINITY, 0]);
    expect(autograd.detectAnomaly(() => F.softmax(tensor([1, 2]).add(bias), 0).toArray())).toEqual([0, 1]);
    expect(autograd.detectAnomaly(() => tensor([1]).div(0), { checkInf: false }).item()).toBe(Number.POSITIVE_INFINITY);
    expect(autograd.detectAnomaly(() => tensor([-1]).log(), { checkNan: false }).item()).toBeNaN();
    // But NaN out of infinities is new.
    expect(anomalyOf(() => bias.sub(bias)).message).toMatch(/^sub: .*1 NaN/);
  });

  test("integers, booleans, views and empty tensors are no anomalies", () => {
    const run = () => {
      const x = tensor([Number.NaN, Number.POSITIVE_INFINITY, 1]);
      return [x.isnan().sum().item(), x.at("1:").reshape(2, 1).shape, x.eq(1).toArray(), zeros(0).mul(2).numel()];
    };
    expect(autograd.detectAnomaly(run)).toEqual([1, [2, 1], [false, false, true], 0]);
  });
});

describe("in backward", () => {
  class Root extends nn.Module {
    scale = new nn.Linear(1, 1, { bias: false });
    forward(x: Tensor): Tensor {
      return this.scale(x).sqrt().sum();
    }
  }
  class Outer extends nn.Module {
    head = new Root();
    forward(x: Tensor): Tensor {
      return this.head(x);
    }
  }

  test("names the op whose gradient it is, the layer, the ranges, and where its forward was called", () => {
    const net = new Outer();
    noGrad(() => net.head.scale.weight.fill_(1));
    const { message, anomaly } = anomalyOf(() => net(tensor([[0], [4]])).backward());
    expect(message).toMatch(
      /^sqrt: its backward returned ±Infinity in the gradient of input 0 \(1 ±Infinity among 2 values\), in head \(Root\)\n/,
    );
    expect(message).toMatch(
      /\n {2}gradient of the result, \[2, 1\]: from 1 to 1\n {2}input 0, \[2, 1\]: from 0 to 4\n/,
    );
    expect(message).toMatch(/its forward was called\n.*\n?[\s\S]*anomaly\.test/);
    expect(anomaly).toMatchObject({ op: "sqrt", phase: "backward", layer: "head", layerType: "Root" });
    expect(anomaly?.inputs.map(({ name }) => name)).toContain("gradient of the result");
    expect(net.head.scale.weight.grad).toBeNull();
  });

  test("infinity passes with checkInf: false; NaN does not", () => {
    const x = tensor([0, 1], { requiresGrad: true });
    autograd.detectAnomaly(() => x.sqrt().sum().backward(), { checkInf: false });
    expect(x.grad?.toArray()).toEqual([Number.POSITIVE_INFINITY, 0.5]);
    expect(anomalyOf(() => x.sqrt().mul(0).sum().backward(), { checkInf: false }).message).toMatch(
      /^sqrt: its backward returned NaN/,
    );
  });

  test("what a user's Function makes is found under its name", () => {
    class Bad extends autograd.Function {
      static override forward(_ctx: autograd.Context, x: Tensor) {
        return x.mul(1);
      }
      static override backward(_ctx: autograd.Context, g: Tensor) {
        return g.div(0).mul(0);
      }
    }
    const x = tensor([1, 2], { requiresGrad: true });
    expect(anomalyOf(() => Bad.apply(x).sum().backward()).message).toMatch(
      /^Bad: its backward returned NaN in the gradient of input 0/,
    );
  });
});

test("healthy training is the same to the bit, and nothing is examined when it is off", () => {
  const train = (around: (step: () => void) => void) => {
    manualSeed(1);
    const net = new nn.Sequential(
      new nn.Conv2d(1, 4, 3),
      new nn.BatchNorm2d(4),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Dropout(0.3),
      new nn.Linear(36, 3),
    );
    const x = randn(5, 1, 8, 8);
    const losses: number[] = [];
    for (let i = 0; i < 3; i++) {
      around(() => {
        const loss = F.crossEntropy(net(x), [0, 1, 2, 0, 1]);
        loss.backward();
        losses.push(loss.item());
      });
    }
    return [losses, net.parameters().map((p) => p.grad?.toArray())];
  };
  expect(train((step) => autograd.detectAnomaly(step))).toEqual(train((step) => step()));
  // NaN passes silently.
  expect(tensor([-1]).log().item()).toBeNaN();
});

test("options are checked", () => {
  expect(() => autograd.detectAnomaly(() => 1, { checkInfinity: true } as any)).toThrow(/unknown option checkInfinity/);
});
