/** The section on underfitting. */
import type { Outcome } from "../../support/experiment.js";
import {
  at,
  claims,
  RATE,
  ratesOf,
  type Schedule,
  SIZES,
  TOP_RATE,
  type Underfitting,
  WIDTH,
} from "../experiments/underfitting.js";
import { count, loss, number, percent, same, type Text, t } from "../page/language.js";
import { type Section, say } from "../page/section.js";

const SCHEDULES: Record<Schedule, Text> = {
  constant: t("constant", "恒定"),
  cosine: t("cosine", "余弦退火"),
  oneCycle: t("one cycle", "单周期"),
};
const LOOK: Record<Schedule, { color: number }> = {
  constant: { color: 2 },
  cosine: { color: 1 },
  oneCycle: { color: 3 },
};
const TRAINING = t("training images", "训练集");
const TEST = t("test images", "测试集");

export function underfittingSection(result: Underfitting, size: keyof typeof SIZES): Section {
  const { byWidth, byRate, bySchedule } = result;
  const { images, epochs, batchSize } = SIZES[size];
  const narrow = byWidth[0];
  const wide = byWidth[byWidth.length - 1];
  const [slow, fast] = [byRate[0], byRate[byRate.length - 1]];
  const good = at(byRate, RATE);
  const steps = epochs * Math.ceil(images / batchSize);
  const schedules = Object.keys(bySchedule) as Schedule[];
  const both = (points: readonly { x: number; outcome: Outcome }[]) => [
    {
      name: TRAINING,
      color: 1,
      dashed: true,
      points: points.map(({ x, outcome }): [number, number] => [x, outcome.final.train.accuracy]),
    },
    {
      name: TEST,
      color: 2,
      points: points.map(({ x, outcome }): [number, number] => [x, outcome.final.test.accuracy]),
    },
  ];
  const row = (name: Text, { final: { train, test } }: Outcome): Text[] => [
    name,
    ...[percent(train.accuracy), percent(test.accuracy), loss(train.loss), loss(test.loss)].map(same),
  ];
  const widthName = (width: number) =>
    t(`${width} units, rate ${number(RATE)}`, `${width} 个单元，学习率 ${number(RATE)}`);
  const rateName = (lr: number) => t(`${WIDTH} units, rate ${number(lr)}`, `${WIDTH} 个单元，学习率 ${number(lr)}`);
  const scheduleName = (s: Schedule) =>
    t(`${WIDTH} units, ${SCHEDULES[s].en} from ${TOP_RATE}`, `${WIDTH} 个单元，${SCHEDULES[s].zh}，${TOP_RATE}`);
  const than = (schedule: Schedule, other: Outcome) =>
    t(
      `training loss ${loss(bySchedule[schedule].final.train.loss)} against ${loss(other.final.train.loss)}; test accuracy ${percent(bySchedule[schedule].final.test.accuracy)} against ${percent(other.final.test.accuracy)}`,
      `训练损失 ${loss(bySchedule[schedule].final.train.loss)}，对照为 ${loss(other.final.train.loss)}；测试准确率 ${percent(bySchedule[schedule].final.test.accuracy)}，对照为 ${percent(other.final.test.accuracy)}`,
    );
  return {
    id: "underfitting",
    title: t("Underfitting", "欠拟合"),
    problem: [
      t(
        "The opposite failure: the network does not even get the pictures right that it learns from, so training and test results are alike, and alike bad. Either it cannot represent what is to be learned, or it has not got there: steps too short lead nowhere in the time given, steps too long never settle.",
        "这是相反的毛病：连用来学习的图片都答不对，训练集和测试集的结果差不多，而且一样差。原因要么是网络表达不了要学的东西，要么是没走到：步子太小，在给定的时间里哪儿也去不了；步子太大，又永远安定不下来。",
      ),
      t(
        "So there are three screws to turn: capacity, the learning rate, and its schedule. Long steps first and short ones in the end combine the speed of the one with the precision of the other.",
        "可以调的因此有三样：容量、学习率，以及学习率的调度。先迈大步、最后迈小步，就能兼得前者的速度和后者的精细。",
      ),
    ],
    setup: t(
      `Fully connected networks of two hidden layers, the second half as wide as the first, learn ${count(images)} pictures of clothes (Fashion-MNIST) for ${epochs} epochs: ${count(steps)} steps with batches of ${batchSize}, SGD with momentum 0.9, no clipping. First the width varies, then the rate, then its schedule.`,
      `带两个隐藏层（第二层宽度为第一层的一半）的全连接网络，学习 ${count(images)} 张服饰图片（Fashion-MNIST），训练 ${epochs} 轮：批大小 ${batchSize}，共 ${count(steps)} 步，SGD，动量 0.9，不裁剪梯度。先改变宽度，再改变学习率，最后改变调度方式。`,
    ),
    code: [
      {
        file: "article/experiments/underfitting.ts",
        region: "run",
        caption: t("Width, rate and schedule", "宽度、学习率与调度"),
      },
    ],
    figures: [
      {
        title: t("Capacity", "容量"),
        caption: t(
          `Right answers after ${epochs} epochs by the width of the first hidden layer; learning rate ${RATE}.`,
          `训练 ${epochs} 轮后的准确率，横轴为第一隐藏层的宽度；学习率 ${RATE}。`,
        ),
        chart: {
          x: {
            title: t("units of the first hidden layer (log scale)", "第一隐藏层的单元数（对数刻度）"),
            log: true,
            values: byWidth.map(({ width }) => width),
          },
          y: { title: t("right answers", "准确率"), percent: true, domain: [0, 1] },
          dots: true,
          height: 260,
          series: both(byWidth.map(({ width, outcome }) => ({ x: width, outcome }))),
        },
      },
      {
        title: t("Learning rate", "学习率"),
        caption: t(
          `Right answers after ${epochs} epochs by a constant learning rate; ${WIDTH} units.`,
          `训练 ${epochs} 轮后的准确率，横轴为恒定的学习率；${WIDTH} 个单元。`,
        ),
        chart: {
          x: { title: t("learning rate (log scale)", "学习率（对数刻度）"), log: true },
          y: { title: t("right answers", "准确率"), percent: true, domain: [0, 1] },
          dots: true,
          height: 260,
          series: both(byRate.map(({ lr, outcome }) => ({ x: lr, outcome }))),
        },
      },
      {
        title: t("Schedule: the learning rate", "调度：学习率"),
        caption: t(`Three ways to spend the same ${count(steps)} steps.`, `同样的 ${count(steps)} 步，三种走法。`),
        chart: {
          x: { title: t("step", "训练步数"), domain: [0, steps] },
          y: { title: t("learning rate", "学习率"), domain: [0, 1.1 * TOP_RATE] },
          height: 190,
          series: schedules.map((s) => ({
            name: SCHEDULES[s],
            ...LOOK[s],
            points: ratesOf(s, steps).map((lr, i): [number, number] => [i, lr]),
          })),
        },
      },
      {
        title: t("Schedule: the loss", "调度：损失"),
        caption: t("Loss on the training images after each epoch.", "每轮结束后训练集上的损失。"),
        chart: {
          x: { title: t("epoch", "轮"), domain: [1, epochs] },
          y: { title: t("cross entropy", "交叉熵") },
          dots: true,
          height: 280,
          series: schedules.map((s) => ({
            name: SCHEDULES[s],
            ...LOOK[s],
            points: bySchedule[s].curve.map(({ epoch, train }): [number, number] => [epoch, train.loss]),
          })),
        },
      },
    ],
    table: {
      caption: t("Where each training ends", "各次训练的结果"),
      head: [
        t("training", "训练"),
        t("right, training", "训练准确率"),
        t("right, test", "测试准确率"),
        t("training loss", "训练损失"),
        t("test loss", "测试损失"),
      ],
      rows: [
        ...byWidth.map(({ width, outcome }) => row(widthName(width), outcome)),
        ...byRate.filter(({ lr }) => lr !== RATE).map(({ lr, outcome }) => row(rateName(lr), outcome)),
        ...schedules.filter((s) => s !== "constant").map((s) => row(scheduleName(s), bySchedule[s])),
      ],
    },
    claims: say(claims(result), {
      narrow: () => ({
        expected: t(
          `${narrow.width} hidden units cannot even represent the training images`,
          `${narrow.width} 个隐藏单元连训练图片都无法拟合`,
        ),
        measured: t(
          `${percent(narrow.outcome.final.train.accuracy)} right, against ${percent(wide.outcome.final.train.accuracy)} with ${wide.width}`,
          `训练准确率 ${percent(narrow.outcome.final.train.accuracy)}，${wide.width} 个单元时为 ${percent(wide.outcome.final.train.accuracy)}`,
        ),
      }),
      narrowAlike: () => ({
        expected: t(
          "and do as badly on the test images: there is no gap to close",
          "测试集上也一样差：没有什么差距可言",
        ),
        measured: t(
          `${percent(narrow.outcome.final.train.accuracy)} and ${percent(narrow.outcome.final.test.accuracy)}`,
          `${percent(narrow.outcome.final.train.accuracy)} 与 ${percent(narrow.outcome.final.test.accuracy)}`,
        ),
      }),
      capacity: () => ({
        expected: t("Capacity cures it, on the test images as well", "增加容量可以治好，测试集也随之改善"),
        measured: t(
          `${percent(wide.outcome.final.test.accuracy)} with ${wide.width} units`,
          `${wide.width} 个单元时测试准确率 ${percent(wide.outcome.final.test.accuracy)}`,
        ),
      }),
      tooSlow: () => ({
        expected: t(
          `A learning rate of ${number(slow.lr)} gets nowhere in ${count(steps)} steps`,
          `学习率 ${number(slow.lr)} 时，${count(steps)} 步几乎毫无进展`,
        ),
        measured: t(
          `training loss ${loss(slow.outcome.final.train.loss)}, against ${loss(good.final.train.loss)} at ${number(RATE)}`,
          `训练损失 ${loss(slow.outcome.final.train.loss)}，学习率 ${number(RATE)} 时为 ${loss(good.final.train.loss)}`,
        ),
      }),
      tooFast: () => ({
        expected: t(
          `A learning rate of ${number(fast.lr)} never settles`,
          `学习率 ${number(fast.lr)} 时，训练永远无法收敛`,
        ),
        measured: t(
          `${percent(fast.outcome.final.train.accuracy)} right, against ${percent(good.final.train.accuracy)}`,
          `训练准确率 ${percent(fast.outcome.final.train.accuracy)}，对照为 ${percent(good.final.train.accuracy)}`,
        ),
      }),
      cosine: () => ({
        expected: t(
          `A cosine that lets ${TOP_RATE} fall to 0 beats a constant ${TOP_RATE}`,
          `从 ${TOP_RATE} 余弦退火到 0，胜过恒定的 ${TOP_RATE}`,
        ),
        measured: than("cosine", bySchedule.constant),
      }),
      oneCycle: () => ({
        expected: t("So does one cycle, which rises to it first", "先升后降的单周期调度也是如此"),
        measured: than("oneCycle", bySchedule.constant),
      }),
      beatsConstants: ({ value, bound }) => ({
        expected: t(
          "The better of them reaches a lower training loss than every constant rate",
          "两者中较好的一个，训练损失低于任何恒定的学习率",
        ),
        measured: t(`${loss(value)} against ${loss(bound / 0.9)}`, `${loss(value)}，对照为 ${loss(bound / 0.9)}`),
      }),
      doctor: ({ value, bound }) => ({
        expected: t(
          "The doctor finds underfitting (or a loss that does not fall at all) in the narrow network, the rate too low and the rate too high where they are, and none of the three in the wide network with a fitting rate",
          "诊断器在窄网络中报告欠拟合（或损失根本不降），在对应的训练中分别报告学习率过低和过高；宽网络配合适的学习率时，三者都不报告",
        ),
        measured: t(`${value} of these ${Math.ceil(bound)} hold`, `${Math.ceil(bound)} 项中成立 ${value} 项`),
      }),
    }),
    diagnoses: [
      { run: widthName(narrow.width), findings: narrow.outcome.findings },
      { run: widthName(wide.width), findings: wide.outcome.findings },
      { run: rateName(slow.lr), findings: slow.outcome.findings },
      { run: rateName(fast.lr), findings: fast.outcome.findings },
      ...schedules.map((s) => ({ run: scheduleName(s), findings: bySchedule[s].findings })),
    ],
    advice: [
      t(
        "First let it learn sixteen pictures by heart. If it cannot, look for a mistake, not for a better setting.",
        "先让它背下十六张图片。如果连这都做不到，该找的是错误，而不是更好的设置。",
      ),
      t(
        "Then make the network wider or deeper until it overfits; from there on see the section before.",
        "然后加宽或加深网络，直到它过拟合；接下来的办法见上一节。",
      ),
      t(
        "Find the largest learning rate that is still steady, and let it decay: <code>optim.lrScheduler.CosineAnnealingLR</code> or <code>OneCycleLR</code>.",
        "找到仍然稳定的最大学习率，再让它衰减：<code>optim.lrScheduler.CosineAnnealingLR</code> 或 <code>OneCycleLR</code>。",
      ),
    ],
  };
}
