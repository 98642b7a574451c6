/** The section on vanishing gradients. */
import {
  claims,
  DEPTH,
  left,
  NETS,
  type NetName,
  perLayer,
  SIZES,
  type Vanishing,
  WIDTH,
} from "../experiments/vanishing.js";
import { count, loss, number, percent, same, type Text, t } from "../page/language.js";
import { type Section, say } from "../page/section.js";

const NAMES: Record<NetName, Text> = {
  sigmoid: t("sigmoid", "sigmoid"),
  sigmoidXavier: t("sigmoid, Xavier", "sigmoid，Xavier 初始化"),
  sigmoidResidual: t("sigmoid, residual", "sigmoid，残差连接"),
  sigmoidBatchNorm: t("sigmoid, BatchNorm", "sigmoid，BatchNorm"),
  relu: t("ReLU, default", "ReLU，默认初始化"),
  reluHe: t("ReLU, He", "ReLU，He 初始化"),
  reluHeCustom: t("hand-written ReLU, He", "手写 ReLU，He 初始化"),
  reluResidual: t("ReLU, residual", "ReLU，残差连接"),
};
const names = Object.keys(NETS) as NetName[];
/** The hand-written ReLU's curves lie on the other's. */
const drawn = names.filter((name) => name !== "reluHeCustom");
const LOOK: Record<string, { color: number; dashed?: boolean }> = {
  sigmoid: { color: 1 },
  sigmoidXavier: { color: 1, dashed: true },
  sigmoidResidual: { color: 3 },
  sigmoidBatchNorm: { color: 4 },
  relu: { color: 2 },
  reluHe: { color: 5 },
  reluResidual: { color: 6 },
};

/** Running mean: single batches jump. */
export function smooth(losses: readonly number[], window: number): [number, number][] {
  let mean = Number.NaN;
  return losses.map((value, i) => {
    mean = Number.isNaN(mean) ? value : mean + (value - mean) / Math.min(window, i + 1);
    return [i + 1, mean];
  });
}

export function vanishingSection(runs: Vanishing, size: keyof typeof SIZES): Section {
  const { images, epochs, batchSize, lr } = SIZES[size];
  const right = (name: NetName) => percent(runs[name].test.accuracy);
  const remains = (name: NetName) => number(left(runs[name]));
  const steps = runs.sigmoid.losses.length;
  const limit = number(0.25 ** (DEPTH - 1));
  const PLAIN = {
    sigmoid: t("the plain sigmoid network", "普通的 sigmoid 网络"),
    relu: t("ReLU alone", "单靠 ReLU"),
  };
  const learns = (what: Text, name: NetName, than: keyof typeof PLAIN) => () => ({
    expected: t(`${what.en} learns what ${PLAIN[than].en} does not`, `${what.zh}学得会，${PLAIN[than].zh}学不会`),
    measured: t(
      `${right(name)} of the test digits right, against ${right(than)}`,
      `测试集准确率 ${right(name)}，对照为 ${right(than)}`,
    ),
  });
  return {
    id: "vanishing",
    title: t("Vanishing gradients", "梯度消失"),
    problem: [
      t(
        `Backpropagation multiplies. On its way from the loss to the input the gradient passes through every layer, and each multiplies it by its weights and by the slope of its activation. For the sigmoid that slope is ¼ at most, so where the weights do not make up for it, ${DEPTH - 1} activations leave no more than (¼)<sup>${DEPTH - 1}</sup> ≈ ${limit} of the gradient.`,
        `反向传播是一连串乘法。梯度从损失出发往输入方向走，每经过一层，都要乘上该层的权重和激活函数的导数。sigmoid 的导数最大只有 ¼，如果权重不能弥补，经过 ${DEPTH - 1} 个激活函数之后，梯度最多只剩 (¼)<sup>${DEPTH - 1}</sup> ≈ ${limit}。`,
      ),
      t(
        "The layers near the input then stand still, and everything behind them works with features that are as good as random. What helps is known: activations whose slope is 1, weights that begin at the right scale, normalisation between the layers, and shortcuts around them.",
        "靠近输入的层因此几乎不动，后面的层只能在近乎随机的特征上学习。常用的办法有四种：换用导数为 1 的激活函数，让权重从合适的尺度开始，在层与层之间做归一化，以及给梯度铺一条绕过各层的近路。",
      ),
    ],
    setup: t(
      `${DEPTH} linear layers, ${WIDTH} units wide, read handwritten digits (MNIST): ${count(images)} images, ${epochs} epochs, batches of ${batchSize}, SGD with momentum 0.9 and learning rate ${lr}. The networks differ in one thing at a time. Unless the name says otherwise, weights begin as PyTorch’s do.`,
      `${DEPTH} 个线性层，每层 ${WIDTH} 个单元，识别手写数字（MNIST）：${count(images)} 张图像，训练 ${epochs} 轮，批大小 ${batchSize}，SGD，动量 0.9，学习率 ${lr}。各网络之间一次只改一处；名称中未注明的，一律采用 PyTorch 的默认初始化。`,
    ),
    code: [
      {
        file: "article/experiments/vanishing.ts",
        region: "nets",
        caption: t("The networks that are compared", "参与比较的网络"),
      },
      {
        file: "custom-relu.ts",
        region: "relu",
        caption: t("The hand-written ReLU among them", "其中手写的 ReLU"),
      },
    ],
    figures: [
      {
        title: t("What reaches each layer of the gradient", "梯度传到每一层还剩多少"),
        caption: t(
          `Norm of the gradient of each layer’s weights in the first step. It flows from right (layer ${DEPTH}, at the loss) to left (layer 1, at the input). The scale is logarithmic; the zigzag of residual networks is the two layers of each block.`,
          `第一步训练时各层权重的梯度范数。梯度自右（第 ${DEPTH} 层，靠近损失）向左（第 1 层，靠近输入）传播。纵轴为对数刻度；残差网络曲线的锯齿对应每个残差块里的两层。`,
        ),
        chart: {
          x: { title: t("layer", "层"), domain: [1, DEPTH], values: [1, 5, 10, 15, 20] },
          y: { title: t("gradient norm (log scale)", "梯度范数（对数刻度）"), log: true },
          dots: true,
          height: 360,
          series: drawn.map((name) => ({
            name: NAMES[name],
            ...LOOK[name],
            points: runs[name].gradNorms.map((norm, i): [number, number] => [i + 1, norm]),
          })),
        },
      },
      {
        title: t("Whether it learns", "能不能学会"),
        caption: t(
          "Training loss by step, as a running mean over 20 steps. ln 10 ≈ 2.303 is the loss of guessing among ten digits.",
          "每一步的训练损失（20 步滑动平均）。在十个数字中瞎猜的损失为 ln 10 ≈ 2.303。",
        ),
        chart: {
          x: { title: t("step", "训练步数"), domain: [1, steps] },
          y: { title: t("cross entropy", "交叉熵"), domain: [0, 3] },
          series: drawn.map((name) => ({ name: NAMES[name], ...LOOK[name], points: smooth(runs[name].losses, 20) })),
        },
      },
    ],
    table: {
      caption: t("Where each network ends", "各网络的结果"),
      head: [
        t("network", "网络"),
        t("gradient, first ÷ last layer", "首层 ÷ 末层梯度"),
        t("factor a layer", "每层倍数"),
        t("test accuracy", "测试准确率"),
        t("test loss", "测试损失"),
      ],
      rows: names.map((name) => [
        NAMES[name],
        same(remains(name)),
        same(perLayer(runs[name]).toFixed(2)),
        same(right(name)),
        same(loss(runs[name].test.loss)),
      ]),
    },
    claims: say(claims(runs), {
      sigmoidVanishes: ({ value, bound }) => ({
        expected: t(
          `Less than ${number(bound)} of the sigmoid network’s gradient reaches the first layer`,
          `sigmoid 网络传到首层的梯度不足末层的 ${number(bound)}`,
        ),
        measured: t(`${number(value)} of it does`, `实测为 ${number(value)}`),
      }),
      sigmoidLearnsNothing: ({ value }) => ({
        expected: t("It learns hardly more than guessing (10%)", "它的准确率与瞎猜（10%）相差无几"),
        measured: t(`${percent(value)} right`, `准确率 ${percent(value)}`),
      }),
      xavierIsNotEnough: () => ({
        expected: t(
          "Xavier’s initialisation alone does not save it: the slopes remain",
          "单靠 Xavier 初始化救不了它：导数仍然太小",
        ),
        measured: t(
          `${remains("sigmoidXavier")} of the gradient, ${right("sigmoidXavier")} right`,
          `梯度剩 ${remains("sigmoidXavier")}，准确率 ${right("sigmoidXavier")}`,
        ),
      }),
      reluIsNotEnough: ({ value }) => ({
        expected: t(
          "Nor does ReLU alone: the default weights are too small for this depth",
          "单靠换成 ReLU 也不够：对这样的深度，默认的权重太小",
        ),
        measured: t(
          `${number(value)} of the gradient, ${right("relu")} right`,
          `梯度剩 ${number(value)}，准确率 ${right("relu")}`,
        ),
      }),
      reluHe: ({ value }) => ({
        expected: t(
          "ReLU with He’s initialisation keeps the gradient’s size",
          "ReLU 配合 He 初始化，梯度的大小得以保持",
        ),
        measured: t(
          `the first layer’s is ${number(value)} times the last layer’s`,
          `首层与末层之比为 ${number(value)}`,
        ),
      }),
      reluHeLearns: learns(t("ReLU with He", "ReLU 配合 He 初始化"), "reluHe", "relu"),
      residual: ({ value }) => ({
        expected: t(
          "Residual connections let the gradient through, even with sigmoids",
          "有了残差连接，即使用 sigmoid，梯度也能传过去",
        ),
        measured: t(
          `the first layer’s is ${number(value)} times the last layer’s`,
          `首层与末层之比为 ${number(value)}`,
        ),
      }),
      residualLearns: learns(
        t("The sigmoid network with residuals", "带残差连接的 sigmoid 网络"),
        "sigmoidResidual",
        "sigmoid",
      ),
      batchNorm: ({ value }) => ({
        expected: t("BatchNorm does so too", "BatchNorm 也有同样的效果"),
        measured: t(
          `the first layer’s is ${number(value)} times the last layer’s`,
          `首层与末层之比为 ${number(value)}`,
        ),
      }),
      batchNormLearns: learns(
        t("The sigmoid network with BatchNorm", "带 BatchNorm 的 sigmoid 网络"),
        "sigmoidBatchNorm",
        "sigmoid",
      ),
      reluResidual: ({ value }) => ({
        expected: t("With residuals, ReLU needs no special initialisation", "有残差连接时，ReLU 不再需要专门的初始化"),
        measured: t(
          `the first layer’s is ${number(value)} times the last layer’s`,
          `首层与末层之比为 ${number(value)}`,
        ),
      }),
      reluResidualLearns: learns(t("ReLU with residuals", "带残差连接的 ReLU 网络"), "reluResidual", "relu"),
      customRelu: ({ value }) => ({
        expected: t(
          "A ReLU written as <code>autograd.Function</code> trains exactly as the built-in one",
          "用 <code>autograd.Function</code> 手写的 ReLU 与内置的训练过程完全一致",
        ),
        measured: t(
          value === 0
            ? `the losses of all ${count(steps)} steps are the same to the bit`
            : `over ${count(steps)} steps the losses differ by ${number(value)} at most`,
          value === 0 ? `全部 ${count(steps)} 步的损失逐位相同` : `${count(steps)} 步中，损失最多相差 ${number(value)}`,
        ),
      }),
      doctor: ({ value, bound }) => ({
        expected: t(
          "The doctor finds the vanishing gradient in the three sick networks, and in none of the four cured ones",
          "诊断器在三个有病的网络中报告梯度消失，在四个治好的网络中不报告",
        ),
        measured: t(`right in ${value} of ${Math.ceil(bound)}`, `${Math.ceil(bound)} 个中判断正确 ${value} 个`),
      }),
    }),
    diagnoses: names.map((name) => ({ run: NAMES[name], findings: runs[name].findings })),
    advice: [
      t(
        "Use ReLU (or GELU, SiLU) in hidden layers, with <code>nn.init.kaimingNormal_</code> where the net is deep and has neither norms nor shortcuts.",
        "隐藏层用 ReLU（或 GELU、SiLU）；网络较深而又没有归一化和残差时，配合 <code>nn.init.kaimingNormal_</code>。",
      ),
      t(
        "Put BatchNorm or LayerNorm between the layers: it restores the scale, whatever the weights do.",
        "在层间加 BatchNorm 或 LayerNorm：无论权重如何，它都会把尺度拉回来。",
      ),
      t(
        "Beyond some ten layers, add residual connections: <code>x.add(block(x))</code>.",
        "超过十来层时，加上残差连接：<code>x.add(block(x))</code>。",
      ),
    ],
  };
}
