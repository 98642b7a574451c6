/** The command line of bench:compare and bench:browser. */
import { parseArgs } from "node:util";
import { PEERS, type Place } from "./peers.js";
import { TASKS } from "./work.js";

export interface Options {
  readonly rows: readonly string[];
  /** Ours among them, always: it is what the others are compared with. */
  readonly peers: readonly string[];
  readonly node: string;
  readonly python?: string;
  /** Seconds. */
  readonly patience: number;
  readonly results?: string;
  readonly readme: boolean;
}

/** What the browser measures unless told otherwise: a page's worth. */
const PAGE_ROWS = [
  ...["matmul128", "matmul512", "linear784", "add", "exp", "softmax"],
  ...["mlp-step", "small-step", "cnn-step", "resnet20-step", "augmentation"],
];

const text = { type: "string" } as const;

/** A list from the command line, each of its names known. */
function listOf(what: string, given: string | undefined, known: readonly string[]): readonly string[] {
  if (given === undefined) return known;
  const names = given.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const list = unknown.map((name) => `"${name}"`).join(", ");
    throw new RangeError(`no ${what} is called ${list}; there are: ${known.join(", ")}`);
  }
  return names;
}

/** @throws RangeError for an unknown row or peer, with the list; TypeError for an unknown option */
export function parseOptions(args: readonly string[], place: Place = "node"): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ rows: text, peers: text, node: text, python: text, patience: text, results: text },
      readme: { type: "boolean" },
    },
  });
  const patience = Number(values.patience ?? 45);
  if (!(patience > 0))
    throw new RangeError(`--patience must be a number of seconds above 0, found "${values.patience}"`);
  const peers = PEERS.filter(({ places }) => places.includes(place)).map(({ name }) => name);
  const rows = TASKS.filter(({ work }) => place === "node" || (work.kind !== "startup" && work.kind !== "size")).map(
    ({ name }) => name,
  );
  const usual = place === "node" ? rows : PAGE_ROWS;
  return {
    rows: values.rows === undefined ? usual : listOf("row", values.rows, rows),
    peers: [...new Set(["lanegrad", ...listOf("peer", values.peers, peers)])],
    node: values.node ?? process.execPath,
    python: values.python,
    patience,
    results: values.results,
    readme: values.readme ?? false,
  };
}

/** As parseOptions; ends the process with a message instead of throwing. */
export function readOptions(args: readonly string[], place: Place = "node"): Options {
  try {
    return parseOptions(args, place);
  } catch (error) {
    console.error(`bench:${place === "node" ? "compare" : "browser"}: ${(error as Error).message}`);
    process.exit(2);
  }
}
