/** The networks of the examples. */
import { F, nn, type Tensor } from "lanegrad";

/** Fully connected: [N, 1, 28, 28] → [N, 10]. */
export class MLP extends nn.Module {
  fc1: nn.Linear;
  fc2: nn.Linear;
  fc3: nn.Linear;

  /** @param width of the first hidden layer; the second has half of it */
  constructor(width = 256) {
    super();
    const half = Math.floor(width / 2);
    this.fc1 = new nn.Linear(28 * 28, width);
    this.fc2 = new nn.Linear(width, half);
    this.fc3 = new nn.Linear(half, 10);
  }

  forward(x: Tensor): Tensor {
    x = x.flatten(1);
    x = F.relu(this.fc1(x));
    x = F.relu(this.fc2(x));
    return this.fc3(x);
  }
}
