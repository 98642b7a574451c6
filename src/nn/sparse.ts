/** nn.Embedding: a table of learned vectors. */
import { inPlaces, type Named, optionsOf, show, type Trailing } from "../arguments.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { checkPaddingIdx, type EmbeddingOptions, embedding } from "../ops/embedding.js";
import { elements } from "../ops/factory.js";
import type { IndexArray } from "../ops/indices.js";
import { fillNormal } from "../random.js";
import { formatShape } from "../shape.js";
import { Kind } from "../storage.js";
import { Tensor } from "../tensor.js";
import { guardParameters, Module } from "./module.js";
import { Parameter } from "./parameter.js";

/**
 * numEmbeddings vectors of embeddingDim numbers, looked up by index; drawn from the standard normal distribution.
 * Shape: (*) → (*, embeddingDim).
 *
 * @param paddingIdx a row that starts as zeros and is not learned; or options: this one, and maxNorm and normType as in
 * `F.embedding`
 */
export class Embedding extends Module {
  numEmbeddings: number;
  embeddingDim: number;
  /** Never negative; null when there is none. */
  paddingIdx: number | null;
  maxNorm: number | null;
  normType: number;
  /** [numEmbeddings, embeddingDim] */
  weight: Parameter;

  constructor(
    numEmbeddings: number,
    embeddingDim: number,
    ...rest: Trailing<EmbeddingOptions, ["paddingIdx", "maxNorm", "normType"]>
  );
  constructor(
    ...named: Named<
      { numEmbeddings: number; embeddingDim: number },
      ["numEmbeddings", "embeddingDim"],
      EmbeddingOptions
    >
  );
  constructor(...args: any[]) {
    super();
    const [numEmbeddings, embeddingDim, ...rest] = inPlaces(args, ["numEmbeddings", "embeddingDim"]);
    const options = optionsOf<EmbeddingOptions>("Embedding", rest, ["paddingIdx", "maxNorm", "normType"]);
    for (const [name, size] of Object.entries({ numEmbeddings, embeddingDim })) {
      if (!Number.isInteger(size) || size < 0) {
        throw new ArgumentError(`Embedding: ${name} must be a whole number ≥ 0, found ${show(size)}`);
      }
    }
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    this.paddingIdx = checkPaddingIdx(options.paddingIdx, numEmbeddings, "Embedding");
    this.maxNorm = options.maxNorm ?? null;
    this.normType = options.normType ?? 2;
    this.weight = new Parameter(
      Tensor.allocateDurable([numEmbeddings, embeddingDim], "float32", "Embedding", Kind.State),
    );
    this.resetParameters();
    guardParameters(this);
  }

  /** Draws the weight anew from the standard normal distribution; the row of paddingIdx becomes zeros. */
  resetParameters(): void {
    const values = elements(this.weight) as Float32Array;
    fillNormal(values);
    if (this.paddingIdx !== null) {
      const start = this.paddingIdx * this.embeddingDim;
      values.fill(0, start, start + this.embeddingDim);
    }
    this.weight.block.version++;
  }

  /**
   * An Embedding on these vectors, whose memory it shares. Nothing is drawn.
   *
   * @param options.freeze do not learn the vectors (default true)
   * @throws ShapeError for a tensor that is no matrix
   */
  static fromPretrained(weight: Tensor, options: EmbeddingOptions & { freeze?: boolean } = {}): Embedding {
    if (weight.ndim !== 2) {
      throw new ShapeError(
        `Embedding.fromPretrained: expected vectors of shape [rows, dim], found ${formatShape(weight.shape)}`,
      );
    }
    const { freeze = true, paddingIdx, ...rest } = options;
    const made = new Embedding(0, weight.shape[1], rest);
    made.numEmbeddings = weight.shape[0];
    made.paddingIdx = checkPaddingIdx(paddingIdx, weight.shape[0], "Embedding.fromPretrained");
    made.weight = new Parameter(weight.detach(), !freeze);
    return made;
  }

  override forward(indices: IndexArray): Tensor {
    const { paddingIdx, maxNorm, normType } = this;
    return embedding(indices, this.weight, { paddingIdx, maxNorm, normType });
  }

  override extraRepr(): string {
    const padding = this.paddingIdx === null ? "" : `, padding_idx=${this.paddingIdx}`;
    const bound = this.maxNorm === null ? "" : `, max_norm=${this.maxNorm}`;
    const p = this.normType === 2 ? "" : `, norm_type=${this.normType}`;
    return `${this.numEmbeddings}, ${this.embeddingDim}${padding}${bound}${p}`;
  }
}
