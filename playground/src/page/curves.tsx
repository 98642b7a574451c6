/** The three charts. */
import { before, curves, latest, network, tested } from "../state.js";
import { Chart, type Curve } from "./chart.js";
import { percent, short } from "./format.js";

const LOSS: Curve[] = [
  { label: "training", color: "--curve-1" },
  { label: "test", color: "--curve-2", points: true },
];
const LAYER_COLORS = ["--curve-1", "--curve-2", "--curve-3", "--curve-4"];

/** As far as the run before. */
const reach = (): number => before.loss?.[0].at(-1) ?? 0;

export const Curves = () => {
  const layers = network.value?.layers ?? [];
  const [now, test] = [latest.value, tested.value];
  return (
    <>
      <Chart
        title="Loss"
        about="cross entropy, log scale"
        curves={LOSS}
        reach={reach}
        history={() => curves.loss}
        before={() => before.loss}
        newest={[now?.loss, test?.loss]}
        format={short}
        scale="log"
        least={1e-4}
      />
      <Chart
        title="Accuracy"
        about="digits read correctly"
        curves={LOSS}
        reach={reach}
        history={() => curves.accuracy}
        before={() => before.accuracy}
        newest={[now?.accuracy, test?.accuracy]}
        format={(value) => percent(value)}
        scale="part"
      />
      <Chart
        title="Gradient norms"
        about="per layer"
        curves={layers.map((label, i) => ({ label, color: LAYER_COLORS[i % LAYER_COLORS.length] }))}
        reach={reach}
        history={() => curves.gradients}
        newest={now?.gradients ?? []}
        format={short}
        scale="log"
        least={1e-6}
        height={150}
      />
    </>
  );
};
