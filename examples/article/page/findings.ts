/** The doctor's findings in both languages: rule ids stay as they are, as they are what one searches for. */
import type { Finding, RuleId } from "lanegrad/doctor";
import { escapeText, type Language, number, type Text, t } from "./language.js";

const RULES: Record<RuleId, Text> = {
  "vanishing-gradient": t("vanishing gradient", "梯度消失"),
  "exploding-gradient": t("exploding gradient", "梯度爆炸"),
  "non-finite": t("NaN or infinity", "出现 NaN 或无穷大"),
  "dead-relu": t("dead ReLUs", "ReLU 失活"),
  "saturated-activation": t("saturated activation", "激活函数饱和"),
  "poor-initialization": t("poor initialisation", "初始化不当"),
  "update-ratio": t("unusual update ratio", "更新比例异常"),
  "frozen-parameter": t("frozen parameter", "参数不更新"),
  "no-gradient": t("no gradient", "没有梯度"),
  "loss-plateau": t("the loss does not fall", "损失停滞不降"),
  diverging: t("diverging", "发散"),
  oscillating: t("oscillating", "震荡"),
  overfitting: t("overfitting", "过拟合"),
  underfitting: t("underfitting", "欠拟合"),
  overtraining: t("overtraining", "训练过度"),
  "unnormalized-inputs": t("inputs not normalised", "输入未归一化"),
  "class-imbalance": t("class imbalance", "类别不均衡"),
  "learning-rate-too-high": t("learning rate too high", "学习率过高"),
  "learning-rate-too-low": t("learning rate too low", "学习率过低"),
  "clipping-always": t("every step is clipped", "每一步都被裁剪"),
  "clipping-never": t("clipping never acts", "裁剪从未生效"),
  "mode-at-validation": t("wrong mode at validation", "验证时模式有误"),
  "missing-zero-grad": t("zeroGrad() forgotten", "遗漏 zeroGrad（）"),
  "softmax-before-cross-entropy": t("softmax before cross entropy", "交叉熵之前多了 softmax"),
  "labels-out-of-range": t("labels out of range", "标签越界"),
};

const SEVERITIES: Record<Finding["severity"], Text> = {
  error: t("error", "错误"),
  warning: t("warning", "警告"),
  info: t("remark", "提示"),
};

/** Names of the numbers that findings give; others are shown by the doctor's own words. */
const EVIDENCE: Record<string, Text> = {
  meanAbsGradient: t("mean |g|", "平均 |g|"),
  threshold: t("threshold", "阈值"),
  firstLayerNorm: t("first layer", "首层范数"),
  lastLayerNorm: t("last layer", "末层范数"),
  firstToLastRatio: t("first ÷ last", "首层 ÷ 末层"),
  gradientNorm: t("gradient norm", "梯度范数"),
  atStart: t("at the start", "初始值"),
  growth: t("growth", "增长倍数"),
  factor: t("factor", "倍数"),
  loss: t("loss", "损失"),
  startLoss: t("at the start", "初始损失"),
  windowBefore: t("before", "此前损失"),
  validationLoss: t("validation loss", "验证损失"),
  trainingLoss: t("training loss", "训练损失"),
  best: t("best", "最好"),
  now: t("now", "当前"),
  gap: t("gap", "差距"),
  validationsSinceBest: t("validations since the best", "距最好已过验证次数"),
  active: t("share of steps", "所占步数比例"),
  medianNorm: t("median norm", "范数中位数"),
  limit: t("limit", "裁剪阈值"),
  deadUnits: t("dead units", "失活单元比例"),
  updateRatio: t("update ratio", "更新比例"),
  usual: t("usual", "通常"),
  largest: t("largest", "最大"),
  learningRate: t("learning rate", "学习率"),
  accuracy: t("accuracy", "准确率"),
  amplitude: t("amplitude", "振幅"),
  steps: t("steps", "步数"),
  layers: t("layers", "层数"),
  op: t("op", "算子"),
  inLayer: t("in layer", "所在层"),
  nan: t("NaN", "NaN 个数"),
  sampledSteps: t("steps read", "采样步数"),
};
const MOST_EVIDENCE = 4;

const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** A list of what was found in one run; findings of one rule in several layers are told once. */
export function findingsOf(findings: readonly Finding[], language: Language): string {
  if (findings.length === 0)
    return `<p class="healthy">${language === "en" ? "nothing wrong found" : "未发现问题"}</p>`;
  const rules = [...new Set(findings.map(({ rule }) => rule))];
  return `<ul class="findings">${rules
    .map((rule) =>
      finding(
        findings.filter((f) => f.rule === rule),
        language,
      ),
    )
    .join("")}</ul>`;
}

function finding(same: readonly Finding[], language: Language): string {
  const [{ rule, severity, layer, step, evidence }] = same;
  const en = language === "en";
  const more = same.length - 1;
  const where =
    layer === null
      ? ""
      : (en ? " in " : "，位于 ") +
        `<code>${escapeText(layer)}</code>${more === 0 ? "" : en ? ` and ${more} more` : ` 等 ${same.length} 处`}`;
  const since = en ? `since step ${step.toLocaleString("en")}` : `自第 ${step.toLocaleString("en")} 步起`;
  // Words stay the doctor's own: they name ops and tensors.
  const shown = Object.entries(evidence)
    .slice(0, MOST_EVIDENCE)
    .map(([name, value]) => {
      const title = EVIDENCE[name]?.[language] ?? words(name);
      return `<span>${title} <b>${typeof value === "number" ? number(value) : escapeText(value)}</b></span>`;
    });
  return (
    `<li class="${severity}"><p><strong>${RULES[rule][language]}</strong> <code class="rule">${rule}</code>${where}` +
    `<span class="since">${SEVERITIES[severity][language]}${en ? ", " : "，"}${since}</span></p><p class="evidence">${shown.join("")}</p></li>`
  );
}
