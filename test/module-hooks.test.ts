/** Hooks of modules: forward, before it, and backward. */
import { describe, expect, test } from "vitest";
import { F, memory, nn, noGrad, ones, type Tensor, tensor } from "../src/index.js";

describe("hooks", () => {
  test("forward: see inputs and output, may replace it, and can be removed", () => {
    const net = new nn.Linear(2, 1);
    const seen: any[] = [];
    const handle = net.registerForwardHook((module, inputs, output) => {
      seen.push([module === net, inputs.length, output.shape]);
    });
    const replace = net.registerForwardHook((_m, _i, output) => output.mul(0).add(7));
    expect(net(ones(1, 2)).toArray()).toEqual([[7]]);
    handle.remove();
    replace.remove();
    expect(net(ones(1, 2)).item()).not.toBe(7);
    net.registerForwardHook(() => undefined);
    net.forward(ones(1, 2));
    expect(seen).toEqual([[true, 1, [1, 1]]]);
  });

  test("backward: see one gradient for each argument and output, may replace the former", () => {
    class Pair extends nn.Module {
      forward(a: Tensor, factor: number, b: Tensor): Tensor[] {
        return [a.mul(factor), b.mul(2), b.gt(0)];
      }
    }
    const net = new Pair();
    const seen: any[] = [];
    const handle = net.registerFullBackwardHook((module, gradInput, gradOutput) => {
      seen.push([
        module === net,
        gradInput.map((g) => g?.toArray() ?? null),
        gradOutput.map((g) => g?.toArray() ?? null),
      ]);
      return gradInput.map((g) => g?.mul(10) ?? null);
    });
    const [a, b] = [tensor([1], { requiresGrad: true }), tensor([1], { requiresGrad: true })];
    const [x, y, mask] = net(a, 3, b) as unknown as Tensor[];
    expect(mask.dtype).toBe("bool");
    x.add(y.mul(5)).sum().backward();
    expect(seen).toEqual([[true, [[3], null, [10]], [[1], [5], null]]]);
    expect([a.grad?.toArray(), b.grad?.toArray()]).toEqual([[30], [100]]);
    handle.remove();
    const linear = new nn.Linear(1, 1);
    linear.registerFullBackwardHook((_m, gradInput, gradOutput) => {
      seen.push([gradInput, gradOutput[0]?.toArray()]);
    });
    linear(ones(1, 1)).sum().backward();
    expect(seen[1]).toEqual([[null], [[1]]]);
    expect(noGrad(() => linear(ones(1, 1))).requiresGrad).toBe(false);
  });

  test("hold no memory over many steps", () => {
    const net = new nn.Linear(100, 100);
    net.registerForwardHook((_m, _i, out) => void out.shape);
    net.registerFullBackwardHook((_m, gradInput) => void gradInput[0]?.shape);
    let before = 0;
    for (let i = 0; i < 1000; i++) {
      if (i === 100) before = memory().heapBytes;
      net.zeroGrad();
      net(F.relu(net(ones(20, 100))))
        .sum()
        .backward();
    }
    expect(memory().heapBytes).toBe(before);
  });

  test("before forward: see the inputs, may replace the only one or a list of them", () => {
    const net = new nn.ReLU();
    const seen: number[][] = [];
    const first = net.registerForwardPreHook((_m, [x]) => x.add(1));
    net.registerForwardPreHook((_m, [x]) => {
      seen.push(x.toArray());
      return [x.neg()];
    });
    expect(net(tensor([-3, 2])).toArray()).toEqual([2, 0]);
    first.remove();
    expect(net(tensor([-3, 2])).toArray()).toEqual([3, 0]);
    expect(seen).toEqual([
      [-2, 3],
      [-3, 2],
    ]);
  });

  test("may remove themselves and others, and add some, while they run: that counts from the next call on", () => {
    const net = new nn.Identity();
    const ran: string[] = [];
    const once = net.registerForwardHook(() => {
      ran.push("once");
      once.remove();
      other.remove();
      net.registerForwardHook(() => void ran.push("added"));
    });
    const other = net.registerForwardHook(() => void ran.push("other"));
    net(ones(1));
    expect(ran).toEqual(["once", "other"]);
    net(ones(1));
    expect(ran).toEqual(["once", "other", "added"]);
  });

  test("a function that stands twice runs twice, and each handle takes back one of them, once", () => {
    const net = new nn.Identity();
    let count = 0;
    const hook = () => void count++;
    const [a, b] = [net.registerForwardHook(hook), net.registerForwardHook(hook)];
    net(ones(1));
    a.remove();
    a.remove();
    net(ones(1));
    expect(count).toBe(3);
    b.remove();
    b.remove();
    net(ones(1));
    expect(count).toBe(3);
  });
});
