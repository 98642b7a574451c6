/** The few architectures of the sixth series that earlier ones have not. */
import { cat, F, nn, noGrad, type Tensor, tensor } from "lanegrad";
import { eachWeight, mlp } from "../nets.js";
import { Encoder } from "../second/nets.js";
import { ITEMS, USERS } from "../second/tasks.js";
import { ViT } from "../third/nets.js";

/** Vectors of a user and of an item beside each other, and an MLP (He et al., Neural Collaborative Filtering, WWW 2017). */
export class Recommender extends nn.Module {
  users = new nn.Embedding(USERS, 8);
  items = new nn.Embedding(ITEMS, 8);
  body = mlp([16, 32, 1]);
  forward(x: Tensor): Tensor {
    return this.body(cat([this.users(x.select(1, 0)), this.items(x.select(1, 1))], 1));
  }
}

/** A classifier of images as Keras' first tutorial has it. */
export const firstSteps = (width = 96, dropout = 0.2): nn.Sequential =>
  new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(196, width),
    new nn.ReLU(),
    new nn.Dropout(dropout),
    new nn.Linear(width, 10),
  );

/** The mean of words' vectors, which goes through an array outside of the tape, as through numpy. */
export class ArrayTextNet extends nn.Module {
  words: nn.Embedding;
  body: nn.Sequential;
  constructor(vocabulary: number, classes: number, width = 24) {
    super();
    this.words = new nn.Embedding(vocabulary, width);
    this.body = mlp([width, 48, classes]);
  }
  forward(x: Tensor): Tensor {
    const vectors = noGrad(() => this.words(x).mean(1));
    return this.body(tensor(Float32Array.from(vectors.toTypedArray(), Number)).reshape(vectors.shape));
  }
}

/** An image's parts one after another, each smaller: an autoencoder that ends in `last`. */
export const endingIn = (last: nn.Module): nn.Sequential =>
  new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(196, 64),
    new nn.ELU(),
    new nn.Linear(64, 16),
    new nn.ELU(),
    new nn.Linear(16, 64),
    new nn.ELU(),
    new nn.Linear(64, 196),
    last,
  );

/** Answers that a function makes of a net's outputs, as the last line of forward() does. */
export class Then extends nn.Module {
  constructor(
    readonly body: nn.Module,
    readonly last: (outputs: Tensor) => Tensor,
  ) {
    super();
  }
  forward(x: Tensor): Tensor {
    return this.last(this.body(x) as Tensor);
  }
}

/** He's weights (He et al., ICCV 2015) in all layers. */
export const he = <Net extends nn.Module>(net: Net): Net => {
  for (const p of net.parameters()) if (p.ndim >= 2) nn.init.kaimingNormal_(p);
  return net;
};
/** Those of Glorot & Bengio (2010). */
export const xavier = <Net extends nn.Module>(net: Net): Net => {
  for (const p of net.parameters()) if (p.ndim >= 2) nn.init.xavierUniform_(p);
  return net;
};

/** Class scores of a softmax over one number: always 1, whatever the number is. */
export const softmaxOfOne = (body: nn.Module): nn.Module => new Then(body, (x) => F.softmax(x, 1));

/** A recurrent net's states begin small, so that the layer that reads them begins with larger weights. */
export const heard = <Net extends nn.Module & { head: nn.Linear }>(net: Net, gain = 2): Net => {
  nn.init.xavierUniform_(net.head.weight, { gain });
  return net;
};

/** An encoder of texts of twelve words out of fifty. Means of many vectors are small: the layers that read them, too, begin with larger weights. */
export const encoder = (): Encoder => {
  const net = xavier(new Encoder(50, 12, 3, { depth: 1 }));
  for (const { weight } of [net.words, net.places]) nn.init.normal_(weight, 0, 0.5);
  eachWeight(net, (w, name) => void (name.endsWith("out.weight") && nn.init.xavierUniform_(w, { gain: 2 })));
  return net;
};

/** A vision Transformer of one layer. */
export const vision = (): ViT => {
  const net = new ViT(32, 1);
  eachWeight(net, (w, name) => void (/(out|fc2)\.weight$/.test(name) && nn.init.xavierUniform_(w)));
  return net;
};
