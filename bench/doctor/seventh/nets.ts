/** The few architectures of the seventh series that earlier ones have not. */
import { F, nn, noGrad, type Tensor } from "lanegrad";

/** A third layer, whose line in forward() was copied from the second and not changed. */
export class CalledTwice extends nn.Module {
  fc1 = new nn.Linear(6, 32);
  fc2 = new nn.Linear(32, 32);
  fc3 = new nn.Linear(32, 32);
  head = new nn.Linear(32, 2);
  forward(x: Tensor): Tensor {
    return this.head(F.gelu(this.fc2(F.gelu(this.fc2(F.gelu(this.fc1(x)))))));
  }
}

/** A learned body that runs without a tape, though it is meant to be fine-tuned. */
export class WithoutTape extends nn.Module {
  head = new nn.Linear(256, 10);
  constructor(readonly body: nn.Module) {
    super();
  }
  forward(x: Tensor): Tensor {
    return this.head(noGrad(() => this.body(x) as Tensor));
  }
}
