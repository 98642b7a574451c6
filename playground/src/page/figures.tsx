/** The newest numbers, large. */
import { latest, tested } from "../state.js";
import { count, percent, short } from "./format.js";

export const Figures = () => {
  const now = latest.value;
  const test = tested.value;
  return (
    <dl class="figures">
      <Figure name="Test accuracy" testid="accuracy" strong>
        {test === null ? "–" : percent(test.accuracy)}
      </Figure>
      <Figure name="Training loss">{now === null ? "–" : short(now.loss)}</Figure>
      <Figure name="Epoch">{now === null ? "–" : now.epoch.toFixed(1)}</Figure>
      <Figure name="Images / s" testid="rate">
        {now === null ? "–" : count(now.imagesPerSecond)}
      </Figure>
    </dl>
  );
};

const Figure = (props: { name: string; testid?: string; strong?: boolean; children: string }) => (
  <div class="card figure" data-strong={props.strong}>
    <dt>{props.name}</dt>
    <dd data-testid={props.testid}>{props.children}</dd>
  </div>
);
