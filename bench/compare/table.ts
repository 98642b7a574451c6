/** Results as a Markdown table with notes, and the place in a file where it belongs. */
import { PEERS } from "./peers.js";
import { type Cell, isMeasured, type ResultRow, type Results } from "./results.js";

const BEGIN = "<!-- bench:compare writes from here -->";
const END = "<!-- to here -->";

export function amount(value: number, unit: ResultRow["unit"]): string {
  if (unit === "bytes") return value < 1e6 ? `${Math.round(value / 1000)} KB` : `${(value / 1e6).toPrecision(3)} MB`;
  if (value < 1e-3) return `${(value * 1e6).toPrecision(3)} µs`;
  if (value < 1) return `${(value * 1e3).toPrecision(3)} ms`;
  return `${value.toPrecision(3)} s`;
}

/** A ratio with two or three digits, never 1e+3. */
const times = (ratio: number) => `${ratio >= 100 ? Math.round(ratio) : ratio.toPrecision(ratio >= 10 ? 3 : 2)} ×`;

/**
 * The table: our figure, and how many times it each peer takes. Bold where the peer is ahead; what cannot be said or done has a
 * number of the notes below.
 */
export function tableOf(results: Results): string {
  const peers = PEERS.filter(({ name }) => results.rows.some(({ cells }) => cells[name] !== undefined));
  const notes: string[] = [];
  const note = (text: string) => {
    if (!notes.includes(text)) notes.push(text);
    return `[${notes.indexOf(text) + 1}]`;
  };
  const show = (cell: Cell | undefined, unit: ResultRow["unit"]): string => {
    if (cell === undefined) return "";
    if (!isMeasured(cell)) return `– ${note(cell.error)}`;
    if (cell.ratio === undefined) return amount(cell.median, unit);
    const ratio = times(cell.ratio.median);
    if (cell.verdict === "too noisy") return `~${ratio} ${note("the rounds were too noisy to call")}`;
    if (cell.verdict === "even") return `${ratio} (even)`;
    return cell.verdict === "slower" ? `**${ratio}**` : ratio;
  };
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const heading = ({ name, title, javascript }: (typeof peers)[number]) =>
    name === "lanegrad" || javascript ? title : `${title} (native)`;
  return [
    line(["", ...peers.map(heading)]),
    `|---|${peers.map(() => "---:|").join("")}`,
    ...results.rows.map(({ title, unit, cells }) => line([title, ...peers.map(({ name }) => show(cells[name], unit))])),
    "",
    ...notes.map((text, i) => `[${i + 1}] ${quoted(text)}  `),
  ].join("\n");
}

/** One line that Markdown leaves alone. */
const quoted = (text: string) => `\`${text.replace(/\s+/g, " ").replaceAll("`", "'").slice(0, 300)}\``;

/** What the table was measured with. */
export function captionOf({ date, commit, machine, peers }: Results): string {
  const versions = PEERS.filter(({ name }) => peers[name] !== undefined).map(({ name }) =>
    name === "lanegrad" ? `lanegrad ${commit} (${peers[name]})` : peers[name],
  );
  return `${machine.cpu}, one core, ${machine.engine}, ${date.slice(0, 10)}. ${versions.join("; ")}.`;
}

/**
 * Puts text between a file's markers.
 * @throws Error when the file does not have both, in order
 */
export function withSection(file: string, text: string): string {
  const [begin, end] = [file.indexOf(BEGIN), file.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the file needs the lines "${BEGIN}" and "${END}", in this order`);
  return `${file.slice(0, begin + BEGIN.length)}\n${text}\n${file.slice(end)}`;
}

/** Rows in which a JavaScript peer is not behind, for whoever wants to know why. */
export function notAhead(results: Results): string[] {
  return results.rows.flatMap(({ title, cells }) =>
    PEERS.filter(({ name, javascript }) => javascript && name !== "lanegrad").flatMap(({ name, title: peer }) => {
      const cell = cells[name];
      if (!isMeasured(cell) || cell.verdict === "faster") return [];
      return [`${title}: ${peer} takes ${times(cell.ratio!.median)} our time (${cell.verdict})`];
    }),
  );
}
