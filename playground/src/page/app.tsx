/** The page as a whole. */
import { useSignalEffect } from "@preact/signals";
import { Moon, Sun } from "lucide";
import { useState } from "preact/hooks";
import { MODELS } from "../settings.js";
import { backend, failure, network, notice, status, tested } from "../state.js";
import { Controls } from "./controls.js";
import { Curves } from "./curves.js";
import { Figures } from "./figures.js";
import { count, percent } from "./format.js";
import { Icon } from "./icon.js";
import { Mistakes } from "./mistakes.js";
import { Pad } from "./pad.js";
import { SettingsPanel } from "./settings-panel.js";
import { dark, toggleTheme } from "./theme.js";

export const App = () => (
  <>
    <Header />
    <main>
      {status.value === "failed" && <Failure />}
      <div class="column column-settings">
        <Controls />
        <SettingsPanel />
      </div>
      <div class="column column-curves">
        <Figures />
        <Curves />
      </div>
      <div class="column column-pad">
        <Pad />
        <Mistakes />
      </div>
    </main>
    <Footer />
    <Notice />
    <Announcer />
  </>
);

const Header = () => (
  <header>
    <div class="brand">
      <svg class="logo" viewBox="0 0 32 32" width="36" height="36" aria-hidden="true">
        <rect width="32" height="32" rx="8" />
        <path d="M7 23c6 0 6-14 9-14s3 14 9 14" />
      </svg>
      <div>
        <h1>
          lanegrad <span>playground</span>
        </h1>
        <p>A neural network learns to read digits, in this very tab.</p>
      </div>
    </div>
    <div class="chips">
      <Machine />
      <button
        type="button"
        class="icon-button"
        onClick={toggleTheme}
        aria-label={dark.value ? "Light colours" : "Dark colours"}
        title={dark.value ? "Light colours" : "Dark colours"}
      >
        <Icon of={dark.value ? Sun : Moon} />
      </button>
    </div>
  </header>
);

/** What computes: the build of the kernels, and the threads in use. */
const Machine = () => {
  const now = backend.value;
  if (now === null) return null;
  const build = now.simd === "relaxed" ? "relaxed SIMD" : "SIMD";
  const threads = `${now.threads} ${now.threads === 1 ? "thread" : "threads"}`;
  const why = now.shared ? "memory is shared between threads" : "memory is not shared";
  return (
    <p class="chip" data-testid="backend" title={`WebAssembly kernels with ${build}; ${why}`}>
      <span class="dot" data-busy={status.value === "training"} />
      <span>
        <span class="wide">CPU · </span>
        <span class="build">{build} · </span>
        {threads}
      </span>
    </p>
  );
};

const Failure = () => (
  <div class="failure" role="alert">
    <strong>Something went wrong.</strong> {failure.value}{" "}
    <button type="button" class="link" onClick={() => location.reload()}>
      Load the page again
    </button>
  </div>
);

const Footer = () => {
  const info = network.value;
  return (
    <footer>
      <p>
        {info !== null && (
          <>
            {MODELS[info.model].about}: {count(info.parameters)} weights.{" "}
          </>
        )}
        Images: MNIST, 10,000 to learn from and 2,000 others to test with. Nothing leaves this page.
      </p>
    </footer>
  );
};

/** What was done last, for a few seconds. */
const Notice = () => {
  const [shown, setShown] = useState("");
  useSignalEffect(() => {
    const text = notice.value;
    if (text === "") return;
    setShown(text);
    const timer = setTimeout(() => {
      setShown("");
      notice.value = "";
    }, 6000);
    return () => clearTimeout(timer);
  });
  return (
    <div class="notice" role="status" data-shown={shown !== ""}>
      {shown}
    </div>
  );
};

const ANNOUNCE_EVERY = 10_000;

/** Tells screen readers how training goes, now and then. */
const Announcer = () => {
  const [text, setText] = useState("");
  const [last, setLast] = useState(0);
  useSignalEffect(() => {
    const test = tested.value;
    const now = performance.now();
    if (test === null || status.value !== "training" || now - last < ANNOUNCE_EVERY) return;
    setLast(now);
    setText(`Epoch ${test.epoch.toFixed(1)}: ${percent(test.accuracy)} of the test digits read correctly.`);
  });
  return (
    <div class="visually-hidden" role="status">
      {text}
    </div>
  );
};
