/**
 * `npm run bench:browser`: rows of bench:compare in headless Chromium, each peer in a browser of its own, in turn.
 *
 *   npm run bench:install                              once: installs the peers into bench/node_modules
 *   npm run bench:browser                              a page's worth of rows; writes bench/results/DATE-COMMIT-chromium.json
 *   npm run bench:browser -- --rows cnn-step --peers jax   as in bench:compare, with --patience and --results
 *
 * CHROMIUM names the browser where it is not Debian's /usr/bin/chromium.
 */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { readOptions } from "../compare/options.js";
import type { PeerInfo } from "../compare/peers.js";
import { PEERS } from "../compare/peers.js";
import { within } from "../compare/process.js";
import { recorder, report } from "../compare/record.js";
import { measure, reason, type Session } from "../compare/rounds.js";
import { TASKS } from "../compare/work.js";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync", "--enable-unsafe-swiftshader"],
];
const FILES = ["bench/.cache/browser", "bench/node_modules/@tensorflow/tfjs-backend-wasm/dist"];
const TYPES: Record<string, string> = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };

const options = readOptions(process.argv.slice(2), "browser");
if (!existsSync(CHROMIUM)) {
  console.error(`bench:browser: no ${CHROMIUM}: apt-get install chromium, or say CHROMIUM=path`);
  process.exit(2);
}

/** The page, the bundles and TensorFlow.js's binaries. */
const server = createServer(({ url = "/" }, response) => {
  const name = url === "/" ? "index.html" : url.slice(1);
  const file = FILES.map((folder) => join(folder, name)).find(existsSync);
  if (name === "index.html") {
    response.setHeader("content-type", TYPES[".html"]);
    response.end('<!doctype html><script type="module" src="/page.js"></script>');
  } else if (file === undefined || name.includes("..")) {
    response.writeHead(404).end();
  } else {
    response.setHeader("content-type", TYPES[extname(name)] ?? "application/octet-stream");
    response.end(readFileSync(file));
  }
});
await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

class PageSession implements Session {
  alive = true;

  private constructor(
    private readonly browser: Browser,
    private readonly page: Page,
    readonly description: string,
  ) {}

  static async start(peer: PeerInfo, seconds: number): Promise<PageSession> {
    const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
    try {
      const page = await browser.newPage();
      await page.goto(address);
      await page.waitForFunction("globalThis.start");
      const loaded = page.evaluate(`start(${JSON.stringify(peer.name)})`) as Promise<string>;
      return new PageSession(browser, page, await within(seconds, loaded));
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  async ask(command: object, seconds: number): Promise<any> {
    try {
      const answer: any = await within(seconds, this.page.evaluate(`answer(${JSON.stringify(command)})`));
      if (answer.error === undefined) return answer;
      throw new Error(answer.error);
    } catch (error) {
      if (reason(error).startsWith("not finished")) this.stop();
      throw error;
    }
  }

  stop(): void {
    this.alive = false;
    void this.browser.close();
  }

  version(): string {
    return this.browser.version();
  }
}

const sessions = new Map<string, PageSession>();
const failures = new Map<string, string>();
const descriptions: Record<string, string> = {};

async function sessionOf(peer: PeerInfo): Promise<Session> {
  const running = sessions.get(peer.name);
  if (running?.alive) return running;
  const failed = failures.get(peer.name);
  if (failed !== undefined) throw new Error(failed);
  try {
    const session = await PageSession.start(peer, options.patience);
    sessions.set(peer.name, session);
    descriptions[peer.name] = session.description;
    return session;
  } catch (error) {
    failures.set(peer.name, reason(error));
    throw error;
  }
}

const peers = PEERS.filter(({ name }) => options.peers.includes(name));
/** Started before any row, so that the file is known to be the right one. */
async function run(): Promise<void> {
  await sessionOf(peers[0]);
  const engine = { name: `Chromium ${sessions.get("lanegrad")!.version()}`, tag: "chromium" };
  const { file, add } = recorder(engine, options.results);
  for (const task of TASKS.filter(({ name }) => options.rows.includes(name))) {
    const cells = await measure(task, peers, sessionOf, options.patience);
    add({ name: task.name, title: task.title, unit: "s", cells }, descriptions);
  }
  report(file);
}

try {
  await run();
} catch (error) {
  console.error(`bench:browser: ${reason(error)}`);
  process.exitCode = 1;
} finally {
  for (const session of sessions.values()) if (session.alive) session.stop();
  server.close();
}
