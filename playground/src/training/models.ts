/** The two networks: [N, 1, 28, 28] → [N, 10]. */
import { F, nn, type Tensor } from "lanegrad";
import { SmallCNN } from "../../../examples/models.js";
import type { ModelName } from "../settings.js";

/** Fully connected, with dropout after both hidden layers. */
class MLP extends nn.Module {
  fc1 = new nn.Linear(28 * 28, 256);
  fc2 = new nn.Linear(256, 128);
  fc3 = new nn.Linear(128, 10);
  dropout: nn.Dropout;

  constructor(p: number) {
    super();
    this.dropout = new nn.Dropout(p);
  }

  forward(x: Tensor): Tensor {
    x = this.dropout(F.relu(this.fc1(x.flatten(1))));
    x = this.dropout(F.relu(this.fc2(x)));
    return this.fc3(x);
  }
}

export type Network = MLP | SmallCNN;

export const makeNetwork = (model: ModelName, dropout: number): Network =>
  model === "mlp" ? new MLP(dropout) : new SmallCNN(dropout);

/** Which of the two has weights of these names. */
export function modelOf(names: readonly string[]): ModelName | null {
  if (names.includes("fc3.weight")) return "mlp";
  return names.includes("conv2.weight") ? "cnn" : null;
}

/** The layers that learn, by name, from input to output. */
export const layersOf = (net: Network): [name: string, layer: nn.Linear | nn.Conv2d][] =>
  Array.from(net.namedModules()).filter(
    (entry): entry is [string, nn.Linear | nn.Conv2d] => entry[1] instanceof nn.Linear || entry[1] instanceof nn.Conv2d,
  );
