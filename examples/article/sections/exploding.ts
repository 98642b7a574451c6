/** The section on exploding gradients. */
import {
  at,
  bestAccuracy,
  broken,
  brokenAt,
  CALM_RATE,
  CLIP,
  claims,
  type Exploding,
  type ExplodingRun,
  GAIN,
  GAINS,
  perRow,
  RATE,
  ROWS,
  SIZES,
} from "../experiments/exploding.js";
import { count, loss, number, percent, same, type Text, t } from "../page/language.js";
import { type Section, say } from "../page/section.js";
import { smooth } from "./vanishing.js";

export function explodingSection(result: Exploding, size: keyof typeof SIZES): Section {
  const { byRow, plain, clipped, orthogonal } = result;
  const { images, epochs, batchSize } = SIZES[size];
  const [without, with_] = [at(plain, RATE), at(clipped, RATE)];
  const growth = number(GAIN ** (ROWS - 1));
  const unclippedName = t("not clipped", "不裁剪");
  const clippedName = t(`clipped to ${CLIP}`, `裁剪到 ${CLIP}`);
  const end = (run: ExplodingRun): Text =>
    broken(run) ? t(`lost in step ${brokenAt(run)}`, `第 ${brokenAt(run)} 步崩溃`) : t("finished", "正常结束");
  const final = (run: ExplodingRun) => run.losses[run.losses.length - 1];
  const course = (values: (run: ExplodingRun) => readonly (readonly [number, number])[]) => [
    { name: unclippedName, color: 2, points: values(without), broken: broken(without) },
    { name: clippedName, color: 3, points: values(with_) },
  ];
  const best = (runs: readonly ExplodingRun[]) => runs.reduce((a, b) => (b.test.accuracy > a.test.accuracy ? b : a));
  const row = (name: Text, run: ExplodingRun): Text[] => [
    name,
    end(run),
    same(number(Math.max(...run.gradNorms.filter(Number.isFinite)))),
    same(loss(final(run))),
    same(percent(run.test.accuracy)),
  ];
  return {
    id: "exploding",
    title: t("Exploding gradients", "梯度爆炸"),
    problem: [
      t(
        `The same multiplication, the other way: where each layer makes the gradient larger, it grows exponentially. Recurrent networks suffer most, because every time step multiplies by the same matrix. If this matrix is <var>g</var> times an orthogonal one, ${ROWS} steps multiply the gradient by <var>g</var><sup>${ROWS - 1}</sup>; with <var>g</var> = ${GAIN} that is ${growth}.`,
        `同样是连乘，方向相反：如果每一层都把梯度放大一点，梯度就会指数式增长。循环网络受害最深，因为每个时间步乘的都是同一个矩阵。若该矩阵是某个正交矩阵的 <var>g</var> 倍，${ROWS} 步下来梯度要乘上 <var>g</var><sup>${ROWS - 1}</sup>；<var>g</var> = ${GAIN} 时，就是 ${growth} 倍。`,
      ),
      t(
        "One step along such a gradient throws the weights so far that nothing they had learned is left; often the next loss is infinite. Clipping keeps the gradient’s direction and limits its length, so that no single step can do much harm.",
        "沿着这样的梯度迈出一步，权重就会被甩得很远，先前学到的东西荡然无存，下一步的损失往往直接变成无穷大。梯度裁剪保留梯度的方向，只限制它的长度，这样任何一步都闯不了大祸。",
      ),
    ],
    setup: t(
      `A linear recurrent network reads the digits of MNIST row by row, ${ROWS} rows of ${ROWS} pixels: ${count(images)} images, ${epochs} epochs, batches of ${batchSize}, SGD with momentum 0.9. It has no activation, so that the arithmetic can be checked; its recurrent matrix begins as <var>g</var> times an orthogonal one.`,
      `一个线性循环网络逐行读取 MNIST 数字，共 ${ROWS} 行，每行 ${ROWS} 个像素：${count(images)} 张图像，训练 ${epochs} 轮，批大小 ${batchSize}，SGD，动量 0.9。网络不用激活函数，以便与理论值对照；循环矩阵初始化为正交矩阵的 <var>g</var> 倍。`,
    ),
    code: [
      {
        file: "article/experiments/exploding.ts",
        region: "loop",
        caption: t(
          "The training loop, with and without clipping, and the doctor in it",
          "训练循环：裁剪与不裁剪，以及其中的诊断器",
        ),
      },
    ],
    figures: [
      {
        title: t("The gradient on its way back through the rows", "梯度沿各行反向传播"),
        caption: t(
          "Norm of the loss’s gradient with respect to the state after each row, before any training. Straight lines on a logarithmic scale are exponential growth or decay.",
          "训练开始前，损失对每一行之后的状态的梯度范数。对数刻度上的直线就是指数增长或衰减。",
        ),
        chart: {
          x: { title: t("row of the image", "图像的行"), domain: [1, ROWS], values: [1, 7, 14, 21, 28] },
          y: { title: t("gradient norm (log scale)", "梯度范数（对数刻度）"), log: true },
          dots: true,
          height: 280,
          series: byRow.map(({ gain, norms }, i) => ({
            name: same(`<span><var>g</var> = ${gain}</span>`),
            color: [1, 4, 2][i],
            points: norms.map((norm, row): [number, number] => [row + 1, norm]),
          })),
        },
      },
      {
        title: t(`Training with g = ${GAIN}: the loss`, `g = ${GAIN} 时的训练：损失`),
        caption: t(
          `Learning rate ${RATE}; running mean over 10 steps. The cross marks the last finite loss.`,
          `学习率 ${RATE}；10 步滑动平均。叉号表示最后一个有限的损失值。`,
        ),
        chart: {
          x: { title: t("step", "训练步数"), domain: [1, with_.losses.length] },
          y: { title: t("cross entropy (log scale)", "交叉熵（对数刻度）"), log: true },
          series: course(({ losses }) =>
            broken(without) && losses === without.losses
              ? losses.map((v, i): [number, number] => [i + 1, v])
              : smooth(losses, 10),
          ),
        },
      },
      {
        title: t("The same by learning rate", "不同学习率下的结果"),
        caption: t(
          `Accuracy on test images after ${epochs} epochs, with g = ${GAIN}. Runs that ended in NaN guess: 10%.`,
          `训练 ${epochs} 轮后的测试准确率，g = ${GAIN}。以 NaN 告终的训练等同瞎猜：10%。`,
        ),
        chart: {
          x: { title: t("learning rate (log scale)", "学习率（对数刻度）"), log: true },
          y: { title: t("test accuracy", "测试准确率"), percent: true, domain: [0, 1] },
          dots: true,
          height: 260,
          series: [
            { name: unclippedName, color: 2, points: plain.map((r): [number, number] => [r.lr, r.test.accuracy]) },
            { name: clippedName, color: 3, points: clipped.map((r): [number, number] => [r.lr, r.test.accuracy]) },
          ],
        },
      },
    ],
    table: {
      caption: t("Where each training ends", "各次训练的结果"),
      head: [
        t("training", "训练"),
        t("end", "结局"),
        t("largest gradient norm", "最大梯度范数"),
        t("last loss", "最后的损失"),
        t("test accuracy", "测试准确率"),
      ],
      rows: [
        ...plain.map((run) => row(t(`not clipped, rate ${number(run.lr)}`, `不裁剪，学习率 ${number(run.lr)}`), run)),
        ...clipped.map((run) => row(t(`clipped, rate ${number(run.lr)}`, `裁剪，学习率 ${number(run.lr)}`), run)),
        row(
          t(
            `not clipped, <var>g</var> = 1, rate ${number(CALM_RATE)}`,
            `不裁剪，<var>g</var> = 1，学习率 ${number(CALM_RATE)}`,
          ),
          orthogonal,
        ),
      ],
    },
    claims: say(claims(result), {
      perRow: () => ({
        expected: t(
          "Each row multiplies the gradient’s norm by <var>g</var>, exactly",
          "每经过一行，梯度范数恰好乘以 <var>g</var>",
        ),
        measured: t(
          `${byRow.map(({ norms }) => perRow(norms).toFixed(4)).join(", ")} for <var>g</var> = ${GAINS.join(", ")}`,
          `<var>g</var> = ${GAINS.join("、")} 时，实测 ${byRow.map(({ norms }) => perRow(norms).toFixed(4)).join("、")}`,
        ),
      }),
      breaks: () => ({
        expected: t(
          `Without clipping, at learning rate ${RATE}, the training breaks down`,
          `不裁剪、学习率 ${RATE} 时，训练会崩溃`,
        ),
        measured: broken(without)
          ? t(
              `the loss is no number from step ${brokenAt(without)} on`,
              `从第 ${brokenAt(without)} 步起，损失不再是有限的数`,
            )
          : t("it goes on to the end", "训练正常结束"),
      }),
      clippingLearns: ({ value, bound }) => ({
        expected: t(
          `With clipping, the same training reads more than ${percent(bound, 0)} right`,
          `加上裁剪，同样的训练准确率超过 ${percent(bound, 0)}`,
        ),
        measured: t(`${percent(value)} right`, `准确率 ${percent(value)}`),
      }),
      clippingFinite: ({ value }) => ({
        expected: t("and not one of its losses is infinite or NaN", "而且没有一步的损失是无穷大或 NaN"),
        measured: t(
          `${count(value)} of ${count(with_.losses.length)}`,
          `${count(with_.losses.length)} 步中有 ${count(value)} 步`,
        ),
      }),
      beatsEveryRate: () => ({
        expected: t(
          "No learning rate without clipping reaches what the best one with clipping does",
          "不裁剪时，无论用哪个学习率，都赶不上裁剪后的最好结果",
        ),
        measured: t(
          `${percent(bestAccuracy(clipped))} (at ${number(best(clipped).lr)}) against ${percent(bestAccuracy(plain))} (at ${number(best(plain).lr)})`,
          `${percent(bestAccuracy(clipped))}（学习率 ${number(best(clipped).lr)}）对 ${percent(bestAccuracy(plain))}（学习率 ${number(best(plain).lr)}）`,
        ),
      }),
      orthogonal: () => ({
        expected: t(
          `The cause can be cured as well: at rate ${number(CALM_RATE)}, without clipping, <var>g</var> = ${GAIN} breaks down and <var>g</var> = 1 learns`,
          `也可以治本：学习率 ${number(CALM_RATE)}、不裁剪时，<var>g</var> = ${GAIN} 会崩溃，而 <var>g</var> = 1 能正常学习`,
        ),
        measured: t(
          `<var>g</var> = ${GAIN}: ${end(at(plain, CALM_RATE)).en}; <var>g</var> = 1: ${end(orthogonal).en}, ${percent(orthogonal.test.accuracy)} right`,
          `<var>g</var> = ${GAIN}：${end(at(plain, CALM_RATE)).zh}；<var>g</var> = 1：${end(orthogonal).zh}，准确率 ${percent(orthogonal.test.accuracy)}`,
        ),
      }),
      doctor: ({ value, bound }) => ({
        expected: t(
          "The doctor finds the explosion where it is; with clipping it remarks only that every step is clipped; with <var>g</var> = 1 it finds no explosion",
          "诊断器能在发生爆炸的训练中报告爆炸；裁剪之后只提醒每一步都被裁剪；<var>g</var> = 1 时不报告爆炸",
        ),
        measured: t(`${value} of these ${Math.ceil(bound)} hold`, `${Math.ceil(bound)} 项中成立 ${value} 项`),
      }),
    }),
    diagnoses: [
      { run: t(`not clipped, rate ${number(RATE)}`, `不裁剪，学习率 ${number(RATE)}`), findings: without.findings },
      { run: t(`clipped, rate ${number(RATE)}`, `裁剪，学习率 ${number(RATE)}`), findings: with_.findings },
      {
        run: t(`<var>g</var> = 1, rate ${number(CALM_RATE)}`, `<var>g</var> = 1，学习率 ${number(CALM_RATE)}`),
        findings: orthogonal.findings,
      },
    ],
    advice: [
      t(
        "Put <code>nn.utils.clipGradNorm_(net.parameters(), 1)</code> between <code>backward()</code> and <code>step()</code>; look at the norms it returns to choose the limit.",
        "在 <code>backward()</code> 与 <code>step()</code> 之间加一行 <code>nn.utils.clipGradNorm_(net.parameters(), 1)</code>；阈值可以参照它返回的范数来定。",
      ),
      t(
        "Clipping treats the symptom. If every step is clipped, look for the cause: initialise recurrent weights with <code>nn.init.orthogonal_</code>, normalise inputs and layers, warm the learning rate up.",
        "裁剪治标不治本。如果每一步都被裁剪，就该找原因：用 <code>nn.init.orthogonal_</code> 初始化循环权重，对输入和各层做归一化，或对学习率做预热。",
      ),
      t(
        "A small learning rate also prevents the explosion, but costs time.",
        "调小学习率也能避免爆炸，只是训练会变慢。",
      ),
    ],
  };
}
