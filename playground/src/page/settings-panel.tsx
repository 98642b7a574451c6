/** The choices. All but the model apply at once, to the training under way. */
import type { ComponentChildren } from "preact";
import {
  BATCH_SIZES,
  DROPOUTS,
  LEARNING_RATES,
  MODELS,
  type ModelName,
  OPTIMIZERS,
  type OptimizerName,
  type Settings,
} from "../settings.js";
import { change, resetSettings, settings } from "../state.js";

export const SettingsPanel = () => {
  const now = settings.value;
  return (
    <section class="card settings" aria-labelledby="settings-title">
      <div class="card-title">
        <h2 id="settings-title">Settings</h2>
        <button type="button" class="link" onClick={() => void resetSettings()}>
          Defaults
        </button>
      </div>

      <fieldset class="segments">
        <legend>Network</legend>
        {(Object.keys(MODELS) as ModelName[]).map((model) => (
          <label key={model}>
            <input
              type="radio"
              name="model"
              value={model}
              checked={now.model === model}
              onChange={() => void change({ model })}
            />
            <span>{MODELS[model].label}</span>
          </label>
        ))}
      </fieldset>
      <p class="hint">{MODELS[now.model].about}. Another one begins anew.</p>

      <Field id="optimizer" label="Optimizer">
        <select
          id="optimizer"
          value={now.optimizer}
          onChange={(event) => void change({ optimizer: event.currentTarget.value as OptimizerName })}
        >
          {Object.entries(OPTIMIZERS).map(([name, label]) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
        </select>
      </Field>

      <Stops id="lr" label="Learning rate" name="lr" stops={LEARNING_RATES} />
      <Stops id="batch-size" label="Batch size" name="batchSize" stops={BATCH_SIZES} unit="images" />
      <Stops id="dropout" label="Dropout" name="dropout" stops={DROPOUTS} show={(p) => `${Math.round(100 * p)} %`} />

      <label class="switch">
        <span>
          Augmentation
          <small>shift and turn the images a little</small>
        </span>
        <input
          type="checkbox"
          role="switch"
          aria-checked={now.augment}
          checked={now.augment}
          onChange={(event) => void change({ augment: event.currentTarget.checked })}
        />
      </label>

      <Threads />
    </section>
  );
};

const Field = ({ id, label, children }: { id: string; label: string; children: ComponentChildren }) => (
  <div class="field">
    <label for={id}>{label}</label>
    {children}
  </div>
);

interface StopsProps {
  id: string;
  label: string;
  name: "lr" | "batchSize" | "dropout";
  stops: readonly number[];
  unit?: string;
  show?: (value: number) => string;
}

/** A slider over some values. */
const Stops = ({ id, label, name, stops, unit = "", show = String }: StopsProps) => {
  const value = settings.value[name];
  const text = `${show(value)} ${unit}`.trim();
  return (
    <div class="field slider">
      <label for={id}>{label}</label>
      <output for={id}>{text}</output>
      <input
        id={id}
        type="range"
        min={0}
        max={stops.length - 1}
        step={1}
        value={Math.max(0, stops.indexOf(value))}
        aria-valuetext={text}
        style={{ "--part": `${(100 * Math.max(0, stops.indexOf(value))) / (stops.length - 1)}%` }}
        onInput={(event) => void change({ [name]: stops[event.currentTarget.valueAsNumber] } as Partial<Settings>)}
      />
    </div>
  );
};

const CORES = Math.min(16, navigator.hardwareConcurrency || 1);

/** Only where the page may share memory. */
const Threads = () => {
  const possible = crossOriginIsolated;
  const { threads } = settings.value;
  const choose = (value: string) => void change({ threads: value === "auto" ? "auto" : Number(value) });
  return (
    <>
      <Field id="threads" label="Threads">
        <select
          id="threads"
          value={possible ? String(threads) : "1"}
          disabled={!possible}
          onChange={(event) => choose(event.currentTarget.value)}
        >
          {possible && <option value="auto">auto: a core is left to the page</option>}
          {Array.from({ length: possible ? CORES : 1 }, (_, i) => (
            <option key={i} value={String(i + 1)}>
              {i + 1}
            </option>
          ))}
        </select>
      </Field>
      {!possible && <p class="hint">This page is not cross-origin isolated, so one thread computes.</p>}
    </>
  );
};
