/** The section on overfitting. */
import type { Outcome } from "../../support/experiment.js";
import {
  CURES,
  type Cure,
  claims,
  gap,
  lowestTestLoss,
  MORE,
  type Overfitting,
  SIZES,
  WEIGHTS,
} from "../experiments/overfitting.js";
import { count, loss, percent, same, type Text, t } from "../page/language.js";
import { type Section, say } from "../page/section.js";

const NAMES: Record<Cure, Text> = {
  nothing: t("nothing done", "不作处理"),
  augmentation: t("augmentation", "数据增强"),
  weightDecay: t("weight decay", "权重衰减"),
  dropout: t("dropout", "dropout"),
  earlyStopping: t("early stopping", "早停"),
  moreData: t(`${MORE} times the data`, `${MORE} 倍数据`),
  together: t("four together", "四法并用"),
};
const COLORS: Record<Cure, number> = {
  nothing: 2,
  augmentation: 3,
  weightDecay: 4,
  dropout: 6,
  earlyStopping: 7,
  moreData: 1,
  together: 5,
};

export function overfittingSection(outcomes: Overfitting, size: keyof typeof SIZES): Section {
  const { images, epochs, patience } = SIZES[size];
  const { nothing, moreData } = outcomes;
  const points = (gap: number) => (100 * gap).toFixed(1);
  /** Steps done after an epoch, as a share of all: more data has fewer epochs and as many steps. */
  const curve = ({ curve }: Outcome, value: (moment: Outcome["curve"][number]) => number, scale = 1) =>
    curve.map((moment): [number, number] => [moment.epoch * scale, value(moment)]);
  const smaller = (cure: Cure, expected: Text) => () => ({
    expected,
    measured: t(
      `gap of ${points(gap(outcomes[cure]))} points against ${points(gap(nothing))}`,
      `差距 ${points(gap(outcomes[cure]))} 个百分点，对照为 ${points(gap(nothing))}`,
    ),
  });
  const lower = (cure: Cure, expected: Text) => () => ({
    expected,
    measured: t(
      `test loss ${loss(outcomes[cure].final.test.loss)} against ${loss(nothing.final.test.loss)}; accuracy ${percent(outcomes[cure].final.test.accuracy)} against ${percent(nothing.final.test.accuracy)}`,
      `测试损失 ${loss(outcomes[cure].final.test.loss)}，对照为 ${loss(nothing.final.test.loss)}；准确率 ${percent(outcomes[cure].final.test.accuracy)}，对照为 ${percent(nothing.final.test.accuracy)}`,
    ),
  });
  return {
    id: "overfitting",
    title: t("Overfitting", "过拟合"),
    problem: [
      t(
        `A network with ${count(WEIGHTS)} weights and ${count(images)} pictures to learn from can remember each of them, noise included. Its training loss goes to zero. On pictures it has never seen it becomes no better, but ever surer, of its mistakes too: accuracy rests while the loss rises.`,
        `网络有 ${count(WEIGHTS)} 个权重，却只有 ${count(images)} 张图片可学，它完全可以把每一张连同噪声一起背下来，训练损失于是趋近于零。面对没见过的图片，它并没有变得更准，只是越来越自信，连错的也越来越自信：准确率停滞，损失却上升。`,
      ),
      t(
        "Every cure makes remembering harder, or stops in time: pictures that are never twice the same (augmentation), weights that must stay small (weight decay), units that come and go (dropout), the best moment kept (early stopping). The surest is more data.",
        "各种办法的思路，要么是让死记硬背变难，要么是及时收手：让每次看到的图片都不一样（数据增强），让权重保持较小（权重衰减），让单元时有时无（dropout），在最好的时刻停下（早停）。最可靠的还是更多的数据。",
      ),
    ],
    setup: t(
      `A network of two hidden layers (256 and 128 units) learns ${count(images)} pictures of clothes (Fashion-MNIST) for ${epochs} epochs; SGD with momentum 0.9, learning rate 0.02, batches of 32. One cure at a time: flips and shifts by up to two pixels, weight decay 0.01, dropout 0.5 after both hidden layers, early stopping after ${patience} epochs without a better validation loss, ${MORE} times the pictures in as many steps; and augmentation, a third of the weight decay, dropout 0.2 and early stopping together.`,
      `网络有两个隐藏层（256 和 128 个单元），学习 ${count(images)} 张服饰图片（Fashion-MNIST），训练 ${epochs} 轮；SGD，动量 0.9，学习率 0.02，批大小 32。每次只用一种办法：翻转并平移至多两个像素；权重衰减 0.01；两个隐藏层之后各加 0.5 的 dropout；验证损失连续 ${patience} 轮不再改善就早停；用 ${MORE} 倍的图片训练同样的步数。最后把数据增强、三分之一强度的权重衰减、0.2 的 dropout 和早停一起用上。`,
    ),
    code: [
      {
        file: "article/experiments/overfitting.ts",
        region: "cures",
        caption: t("The cures, as settings of one training", "各种办法，都是同一训练的不同设置"),
      },
    ],
    figures: [
      {
        title: t("Learned by heart", "死记硬背"),
        caption: t(
          `Share of right answers with nothing done, and with ${MORE} times the data. The distance between the two curves of a colour is the gap.`,
          `不作处理与使用 ${MORE} 倍数据时的准确率。同色两条曲线之间的距离就是差距。`,
        ),
        chart: {
          x: { title: t(`progress (${epochs} = all steps)`, `训练进度（${epochs} 为全部步数）`), domain: [0, epochs] },
          y: { title: t("right answers", "准确率"), percent: true, domain: [0.4, 1] },
          height: 280,
          series: [
            {
              name: t("nothing done, training", "不作处理，训练集"),
              color: 2,
              dashed: true,
              points: curve(nothing, (m) => m.train.accuracy),
            },
            {
              name: t("nothing done, test", "不作处理，测试集"),
              color: 2,
              points: curve(nothing, (m) => m.test.accuracy),
            },
            {
              name: t(`${MORE} times the data, training`, `${MORE} 倍数据，训练集`),
              color: 1,
              dashed: true,
              points: curve(moreData, (m) => m.train.accuracy, MORE),
            },
            {
              name: t(`${MORE} times the data, test`, `${MORE} 倍数据，测试集`),
              color: 1,
              points: curve(moreData, (m) => m.test.accuracy, MORE),
            },
          ],
        },
      },
      {
        title: t("The loss on pictures never seen", "没见过的图片上的损失"),
        caption: t(
          "Test loss over the training. A cure keeps it down; early stopping ends before it has risen.",
          "训练过程中的测试损失。办法奏效，曲线就压得低；早停则在它升高之前结束。",
        ),
        chart: {
          x: { title: t(`progress (${epochs} = all steps)`, `训练进度（${epochs} 为全部步数）`), domain: [0, epochs] },
          y: { title: t("cross entropy", "交叉熵") },
          height: 360,
          series: CURES.map((cure) => ({
            name: NAMES[cure],
            color: COLORS[cure],
            dashed: cure === "together",
            points: curve(outcomes[cure], (m) => m.test.loss, cure === "moreData" ? MORE : 1),
          })),
        },
      },
    ],
    table: {
      caption: t(
        "Where each training ends (with early stopping: its best epoch)",
        "各次训练的结果（早停取最好的一轮）",
      ),
      head: [
        t("cure", "办法"),
        t("training", "训练集"),
        t("test", "测试集"),
        t("gap, points", "差距（百分点）"),
        t("training loss", "训练损失"),
        t("test loss", "测试损失"),
        t("epoch", "轮"),
      ],
      rows: CURES.map((cure) => {
        const { train, test, epoch } = outcomes[cure].final;
        const cells = [
          percent(train.accuracy),
          percent(test.accuracy),
          points(gap(outcomes[cure])),
          loss(train.loss),
          loss(test.loss),
          String(epoch),
        ];
        return [NAMES[cure], ...cells.map(same)];
      }),
    },
    claims: say(claims(outcomes), {
      learnedByHeart: ({ value }) => ({
        expected: t("With nothing done, the training pictures are learned by heart", "不作处理时，训练图片被全部背下"),
        measured: t(`${percent(value)} of them right`, `训练准确率 ${percent(value)}`),
      }),
      gap: () => ({
        expected: t("and others are read much worse", "而其他图片的准确率低得多"),
        measured: t(
          `${percent(nothing.final.test.accuracy)} right, a gap of ${points(gap(nothing))} points`,
          `测试准确率 ${percent(nothing.final.test.accuracy)}，相差 ${points(gap(nothing))} 个百分点`,
        ),
      }),
      testLossRises: () => ({
        expected: t("The test loss falls at first, and rises again", "测试损失先降后升"),
        measured: t(
          `from ${loss(lowestTestLoss(nothing))} at its best to ${loss(nothing.final.test.loss)}`,
          `从最低的 ${loss(lowestTestLoss(nothing))} 升到 ${loss(nothing.final.test.loss)}`,
        ),
      }),
      augmentation: smaller("augmentation", t("Augmentation narrows the gap", "数据增强缩小差距")),
      augmentationLoss: lower("augmentation", t("and lowers the test loss", "并降低测试损失")),
      weightDecay: lower("weightDecay", t("Weight decay lowers the test loss", "权重衰减降低测试损失")),
      dropout: lower("dropout", t("So does dropout", "dropout 也是如此")),
      earlyStopping: lower(
        "earlyStopping",
        t("Early stopping ends before the test loss has risen", "早停在测试损失升高之前结束"),
      ),
      moreData: smaller(
        "moreData",
        t(
          `${MORE} times the data, in as many steps, narrow it by a third at least`,
          `步数不变，${MORE} 倍数据把差距至少缩小三分之一`,
        ),
      ),
      moreDataLoss: lower("moreData", t("and lower the test loss", "测试损失也更低")),
      together: smaller(
        "together",
        t("Together the cures narrow the gap by a quarter at least", "四法并用，差距至少缩小四分之一"),
      ),
      doctor: ({ value, bound }) => ({
        expected: t(
          "The doctor finds overfitting where nothing is done, and none with more data",
          "诊断器在不作处理时报告过拟合，数据增多后不再报告",
        ),
        measured: t(`${value} of these ${Math.ceil(bound)} hold`, `${Math.ceil(bound)} 项中成立 ${value} 项`),
      }),
    }),
    diagnoses: CURES.map((cure) => ({ run: NAMES[cure], findings: outcomes[cure].findings })),
    advice: [
      t(
        "Keep images apart for validation, and look at their loss, not at accuracy alone: it rises first.",
        "留出一部分图片做验证，并且要看验证损失，不能只看准确率：先升高的是损失。",
      ),
      t(
        "Get more data if you can; if not, make more of what you have (<code>transforms.RandomCrop</code>, <code>RandomHorizontalFlip</code> …).",
        "能多弄到数据，就多弄一些；弄不到，就把手头的数据用足（<code>transforms.RandomCrop</code>、<code>RandomHorizontalFlip</code> 等）。",
      ),
      t(
        "Early stopping costs nothing: <code>fit(net, { earlyStopping: { patience } })</code> brings the best weights back.",
        "早停没有成本：<code>fit(net, { earlyStopping: { patience } })</code> 会恢复最好的权重。",
      ),
    ],
  };
}
