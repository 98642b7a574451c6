/**
 * The history as a TensorBoard event file: messages of tensorflow/core/util/event.proto and framework/summary.proto, field
 * numbers as there.
 */
import { BUCKETS, boundsOf, type Histogram } from "../histogram.js";
import type { History } from "../history.js";
import type { Finding } from "../types.js";
import { evidenceText, verdict } from "./format.js";
import { Message, tfRecords } from "./protobuf.js";

const scalar = (tag: string, value: number): Message => new Message().string(1, tag).float(2, value);

/** HistogramProto. Sums are of the buckets' middles; empty buckets before the first and after the last are left out. */
function histogram(tag: string, { counts }: Histogram): Message {
  let first = 0;
  let last = BUCKETS - 1;
  while (first < last && counts[first] === 0) first++;
  while (last > first && counts[last] === 0) last--;
  // TensorBoard takes a bucket's lower bound from the limit before: an empty one goes ahead.
  const from = Math.max(0, first - 1);
  const buckets = Array.from({ length: last - from + 1 }, (_, i) => from + i);
  const middle = (i: number) => (boundsOf(i)[0] + boundsOf(i)[1]) / 2;
  const sum = (f: (i: number) => number) => buckets.reduce((total, i) => total + counts[i] * f(i), 0);
  const proto = new Message()
    .double(1, boundsOf(first)[0])
    .double(2, boundsOf(last)[1])
    .double(
      3,
      sum(() => 1),
    )
    .double(4, sum(middle))
    .double(
      5,
      sum((i) => middle(i) ** 2),
    )
    .doubles(
      6,
      buckets.map((i) => boundsOf(i)[1]),
    )
    .doubles(
      7,
      buckets.map((i) => counts[i]),
    );
  return new Message().string(1, tag).message(5, proto);
}

/** A string tensor for TensorBoard's text tab, in Markdown. */
function text(tag: string, markdown: string): Message {
  const metadata = new Message().message(1, new Message().string(1, "text"));
  const shape = new Message().message(2, new Message().varint(1, 1));
  const DT_STRING = 7;
  const tensor = new Message().varint(1, DT_STRING).message(2, shape).string(8, markdown);
  return new Message().string(1, tag).message(8, tensor).message(9, metadata);
}

const findingText = ({ rule, severity, layer, step, evidence, why, advice }: Finding): string =>
  `**${severity}: ${rule}**${layer === null ? "" : ` in \`${layer}\``}, since step ${step}\n\n${evidenceText(evidence)}\n\n${why}\n\n` +
  advice.map((line, i) => `${i + 1}. ${line}`).join("\n");

/** Tags: `loss/train`, `loss/validation`, `gradient_norm/…`, `update_ratio/…`, `weight_norm/…`, histograms `activation/…`, `weight/…`. */
export function eventsOf(title: string, history: History, findings: readonly Finding[]): Uint8Array {
  const { began, ended, step: steps } = history;
  // Steps have no times of their own: they are spread evenly over the run.
  const time = (step: number) => (began + ((ended - began) * step) / Math.max(steps, 1)) / 1000;
  const records: { step: number; values: Message[] }[] = [];
  const at = (step: number, values: Message[]): void => {
    records.push({ step, values });
  };
  history.losses.forEach((loss, i) => {
    at(i + 1, [scalar("loss/train", loss)]);
  });
  for (const { step, loss, accuracy } of history.validations) {
    at(step, [
      scalar("loss/validation", loss),
      ...(Number.isNaN(accuracy) ? [] : [scalar("accuracy/validation", accuracy)]),
    ]);
  }
  for (const { step, lr, gradNorm, parameters, activations } of history.samples) {
    at(step, [
      scalar("learning_rate", lr),
      scalar("gradient_norm", gradNorm),
      ...parameters.flatMap((p) => [
        scalar(`gradient_norm/${p.name}`, p.gradNorm ?? Number.NaN),
        scalar(`weight_norm/${p.name}`, p.weightNorm),
        scalar(`update_ratio/${p.name}`, p.updateRatio),
      ]),
      ...activations.flatMap((a) => [
        ...(Number.isNaN(a.dead) ? [] : [scalar(`dead_units/${a.layer}`, a.dead)]),
        ...(Number.isNaN(a.saturated) ? [] : [scalar(`saturated/${a.layer}`, a.saturated)]),
      ]),
    ]);
  }
  for (const [name, list] of history.histograms) for (const h of list) at(h.step, [histogram(name, h)]);
  for (const finding of findings) at(finding.step, [text(`finding/${finding.rule}`, findingText(finding))]);
  at(steps, [text("verdict", `${title}: ${verdict(findings, steps)}`)]);
  records.sort((a, b) => a.step - b.step);
  const header = new Message().double(1, began / 1000).string(3, "brain.Event:2");
  const events = records.map(({ step, values }) => {
    const summary = new Message();
    for (const value of values) summary.message(1, value);
    return new Message().double(1, time(step)).varint(2, step).message(5, summary);
  });
  return tfRecords([header, ...events].map((event) => event.finish()));
}
