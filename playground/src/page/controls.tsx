/** Train, pause, reset; save and load. */
import { Download, Pause, Play, RotateCcw, Upload } from "lucide";
import { useRef } from "preact/hooks";
import { loadWeights, reset, saveWeights, status, trainOrPause } from "../state.js";
import { Icon } from "./icon.js";

const MAIN = {
  loading: { label: "Loading digits …", icon: Play },
  ready: { label: "Train", icon: Play },
  training: { label: "Pause", icon: Pause },
  paused: { label: "Resume", icon: Play },
  failed: { label: "Train", icon: Play },
};

export const Controls = () => {
  const file = useRef<HTMLInputElement>(null);
  const now = status.value;
  const usable = now !== "loading" && now !== "failed";
  const { label, icon } = MAIN[now];
  const choose = (event: Event) => {
    const input = event.currentTarget as HTMLInputElement;
    const chosen = input.files?.[0];
    if (chosen !== undefined) void loadWeights(chosen);
    // The same file may be chosen again.
    input.value = "";
  };
  return (
    <section class="card controls" aria-label="Training">
      <button type="button" class="primary" disabled={!usable} onClick={trainOrPause} data-status={now}>
        <Icon of={icon} /> {label}
      </button>
      <button type="button" disabled={!usable} onClick={() => void reset()} title="Forget what was learned">
        <Icon of={RotateCcw} /> Reset
      </button>
      <button type="button" disabled={!usable} onClick={() => void saveWeights()} title="Weights as a safetensors file">
        <Icon of={Download} /> Save
      </button>
      <button
        type="button"
        disabled={!usable}
        onClick={() => file.current?.click()}
        title="Weights from a safetensors file"
      >
        <Icon of={Upload} /> Load
      </button>
      <input ref={file} type="file" accept=".safetensors" hidden aria-label="File of weights" onChange={choose} />
    </section>
  );
};
