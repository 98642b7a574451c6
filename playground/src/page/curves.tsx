/** The three charts. */
import { curves, latest, network, tested } from "../state.js";
import { Chart, type Curve } from "./chart.js";
import { percent, short } from "./format.js";

const LOSS: Curve[] = [
  { label: "training", color: "--curve-1" },
  { label: "test", color: "--curve-2", points: true },
];
const LAYER_COLORS = ["--curve-1", "--curve-2", "--curve-3", "--curve-4"];

export const Curves = () => {
  const layers = network.value?.layers ?? [];
  const [now, test] = [latest.value, tested.value];
  return (
    <>
      <Chart
        title="Loss"
        about="cross entropy, log scale"
        curves={LOSS}
        history={() => curves.loss}
        newest={[now?.loss, test?.loss]}
        format={short}
        scale="log"
        least={1e-4}
      />
      <Chart
        title="Accuracy"
        about="digits read correctly"
        curves={LOSS}
        history={() => curves.accuracy}
        newest={[now?.accuracy, test?.accuracy]}
        format={(value) => percent(value)}
        scale="part"
      />
      <Chart
        title="Gradient norms"
        about="per layer"
        curves={layers.map((label, i) => ({ label, color: LAYER_COLORS[i % LAYER_COLORS.length] }))}
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
