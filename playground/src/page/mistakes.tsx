/** The test digits that are still read wrongly. */
import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { paintDigit } from "../digit.js";
import { mistakes, tested } from "../state.js";
import type { Mistake } from "../training/session.js";
import { count, percent } from "./format.js";
import { dark, inkColor } from "./theme.js";

export const Mistakes = () => {
  const test = tested.value;
  return (
    <section class="card mistakes" aria-labelledby="mistakes-title">
      <div class="card-title">
        <h2 id="mistakes-title">
          Still wrong <small>{test === null ? "" : `${count(test.wrong)} of ${count(test.of)} test digits`}</small>
        </h2>
      </div>
      {test === null ? (
        <p class="hint">After the first test: the digits it gets wrong, the surest mistakes first.</p>
      ) : (
        <ul class="digits">
          {mistakes.value.map((mistake, i) => (
            <Digit key={i} mistake={mistake} />
          ))}
        </ul>
      )}
    </section>
  );
};

const Digit = ({ mistake }: { mistake: Mistake }) => {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { is, read, sure } = mistake;
  const shown = useRef(mistake);
  shown.current = mistake;
  const paint = () => {
    if (canvas.current !== null) paintDigit(canvas.current, shown.current.pixels, inkColor());
  };
  useSignalEffect(() => {
    tested.value;
    dark.value;
    requestAnimationFrame(paint);
  });
  const text = `${is}, read as ${read}, ${percent(sure, 0)} sure`;
  return (
    <li title={text}>
      <canvas ref={canvas} width={28} height={28} role="img" aria-label={text} />
      <span aria-hidden="true">
        {is}
        <i>→</i>
        <b>{read}</b>
      </span>
    </li>
  );
};
