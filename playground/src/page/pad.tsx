/** A pad to draw a digit on, and what the network says to it. */
import { useSignalEffect } from "@preact/signals";
import { Eraser, Shuffle } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { digitOf, paintDigit } from "../digit.js";
import { draw, drawing, example, reading, status } from "../state.js";
import { percent } from "./format.js";
import { Icon } from "./icon.js";
import { Strokes } from "./strokes.js";
import { inkColor } from "./theme.js";

export const Pad = () => {
  const surface = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const cursor = useRef<HTMLDivElement>(null);
  const seen = useRef<HTMLCanvasElement>(null);
  const strokes = useRef<Strokes | null>(null);

  useEffect(() => {
    const pad = canvas.current as HTMLCanvasElement;
    const made = new Strokes(surface.current as HTMLDivElement, pad, cursor.current as HTMLDivElement, () =>
      draw(digitOf(pad)),
    );
    strokes.current = made;
    return () => made.stop();
  }, []);
  useSignalEffect(() => {
    const color = inkColor();
    strokes.current?.recolor(`rgb(${color.join(" ")})`);
    if (seen.current !== null) paintDigit(seen.current, drawing.value ?? new Float32Array(), color);
  });

  const showExample = async () => {
    const image = await example();
    if (image !== undefined) strokes.current?.show(image.pixels, inkColor());
  };
  return (
    <section class="card pad" aria-labelledby="pad-title">
      <div class="card-title">
        <h2 id="pad-title">Draw a digit</h2>
        <div class="pad-buttons">
          <button type="button" class="small" disabled={status.value === "loading"} onClick={() => void showExample()}>
            <Icon of={Shuffle} size={15} /> Example
          </button>
          <button type="button" class="small" onClick={() => strokes.current?.clear()}>
            <Icon of={Eraser} size={15} /> Clear
          </button>
        </div>
      </div>
      <div class="pad-row">
        <div
          ref={surface}
          class="pad-surface"
          data-empty={drawing.value === null}
          role="application"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes keys, which is what "application" says
          tabIndex={0}
          aria-label="Drawing pad"
          aria-describedby="pad-help"
          data-testid="pad"
        >
          <canvas ref={canvas} width={Strokes.SIZE} height={Strokes.SIZE} />
          <div ref={cursor} class="pad-cursor" hidden />
          <p class="pad-hint" aria-hidden="true">
            with finger, mouse or arrow keys
          </p>
          <div class="pad-seen" title="What the network gets to see: 28 × 28 pixels">
            <canvas ref={seen} width={28} height={28} role="img" aria-label="What the network gets to see" />
          </div>
        </div>
        <p id="pad-help" class="visually-hidden">
          Arrow keys move the pen, with shift by small steps. Space puts it down and lifts it. Delete clears the pad.
        </p>
        <Answer />
      </div>
    </section>
  );
};

/** Ten bars, and the digit itself. */
const Answer = () => {
  // Weights that are no numbers any more have no answer.
  const values = reading.value?.every(Number.isFinite) ? reading.value : null;
  const best = values === null ? -1 : values.indexOf(Math.max(...values));
  return (
    <div class="answer">
      <p class="verdict" role="status" data-testid="answer" data-digit={best < 0 ? "" : best}>
        {values === null ? (
          <>
            <span class="verdict-digit">?</span>
            <span class="verdict-text">{reading.value === null ? "nothing drawn" : "no answer"}</span>
          </>
        ) : (
          <>
            <span class="visually-hidden">The network reads</span>
            <span class="verdict-digit">{best}</span>
            <span class="verdict-text" aria-hidden="true">
              {values[best] > 0.9995 ? "> 99.9 %" : percent(values[best])} sure
            </span>
          </>
        )}
      </p>
      <ol class="bars" aria-label="How likely each digit is">
        {Array.from({ length: 10 }, (_, digit) => {
          const value = values?.[digit] ?? 0;
          return (
            <li key={digit} data-best={digit === best}>
              <span class="bar-digit">{digit}</span>
              <span class="bar" aria-hidden="true">
                <span style={{ transform: `scaleX(${value})` }} />
              </span>
              <span class="bar-value">{values === null ? "–" : percent(value, 0)}</span>
            </li>
          );
        })}
      </ol>
    </div>
  );
};
