import type { Tensor } from "../tensor.js";

/** What `max(dim)`, `sort`, `topk` and the like return: `const { values, indices } = …` or `const [values, indices] = …`. */
export interface ValuesIndices extends Iterable<Tensor> {
  readonly values: Tensor;
  /** Of dtype int32. */
  readonly indices: Tensor;
  readonly 0: Tensor;
  readonly 1: Tensor;
  readonly length: 2;
}

class Pair implements ValuesIndices {
  constructor(
    readonly values: Tensor,
    readonly indices: Tensor,
  ) {}

  get 0(): Tensor {
    return this.values;
  }
  get 1(): Tensor {
    return this.indices;
  }
  get length(): 2 {
    return 2;
  }
  *[Symbol.iterator](): Iterator<Tensor> {
    yield this.values;
    yield this.indices;
  }
}

/** PyTorch's named tuple (values, indices). */
export const valuesAndIndices = (values: Tensor, indices: Tensor): ValuesIndices => new Pair(values, indices);
