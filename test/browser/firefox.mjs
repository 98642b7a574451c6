/**
 * Drives Debian's Firefox without its remote agent: with WebDriver BiDi on, a worker that makes workers stops for ever in `new Worker` at
 * times (docs/threads.md), and Playwright wants a Firefox of its own.
 *
 * The browser opens one page, the desk (desk.html), which asks the server for commands, opens a window for each page and passes what is
 * said on. To the windows it talks through a BroadcastChannel: an isolated page has no opener, and a policy may forbid requests.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFERENCES = {
  // Windows that no click has asked for, as many as there are files, and which close themselves.
  "dom.disable_open_during_load": false,
  "dom.popup_maximum": -1,
  "dom.allow_scripts_to_close_windows": true,
  // A window each: of the tabs of one only the foremost is visible, and in hidden ones Firefox lets timers fire once a second.
  "browser.link.open_newwindow": 2,
  // Nothing of its own on the network or the screen.
  "app.update.disabledForTesting": true,
  "browser.aboutwelcome.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,",
};

/** Milliseconds that the browser may take to open the desk. */
const START = 60_000;

/** What is to be done in the browser, and the request that waits for it. */
const commands = [];
let waiting = null;
/** What to call with what a page says, by the page's number. */
const listeners = new Map();

function order(command) {
  commands.push(command);
  deliver();
}
function deliver() {
  if (waiting === null || commands.length === 0) return;
  waiting.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
  waiting.end(JSON.stringify(commands.splice(0)));
  waiting = null;
}

/** Answers the desk's requests, which the server of the tests hands on: /desk/next gives commands, /desk/said takes what pages say. */
export async function desk(pathname, request, response) {
  if (pathname === "/desk/next") {
    waiting = response;
    listeners.get("desk")?.();
    return deliver();
  }
  let body = "";
  for await (const chunk of request) body += chunk;
  response.end();
  const { page, ...said } = JSON.parse(body);
  listeners.get(page)?.(said);
}

let pages = 0;
function newPage() {
  const page = ++pages;
  /** Resolves with the next thing that the page says. */
  const said = () => new Promise((resolve) => listeners.set(page, resolve));
  return {
    on() {},
    async goto(url) {
      const loaded = said();
      order({ page, open: `${url}&desk=${page}` });
      await loaded;
    },
    async call(name, ...args) {
      const answer = said();
      order({ page, call: name, args });
      const { error, result } = await answer;
      if (error !== undefined) throw new Error(error);
      return result;
    },
    async close() {
      listeners.delete(page);
      order({ page, close: true });
    },
  };
}

/** A browser with `newPage()`, whose pages have `goto(url)`, `call(name, ...args)` of a global function, and `close()`. */
export async function launchFirefox(executablePath, origin) {
  const version = execFileSync(executablePath, ["--version"], { encoding: "utf8" }).match(/[\d.]+/)?.[0];
  const profile = mkdtempSync(join(tmpdir(), "lanegrad-firefox-"));
  const lines = Object.entries(PREFERENCES).map((pair) => `user_pref(${JSON.stringify(pair).slice(1, -1)});\n`);
  writeFileSync(join(profile, "user.js"), lines.join(""));
  const opened = new Promise((resolve, reject) => {
    listeners.set("desk", resolve);
    setTimeout(() => reject(new Error(`Firefox has not opened its page within ${START / 1000} s`)), START).unref();
  });
  const args = ["--headless", "--no-remote", "--profile", profile, `${origin}/desk.html`];
  const firefox = spawn(executablePath, args, { stdio: "ignore" });
  const died = new Promise((_, reject) => {
    firefox.once("exit", (code) => reject(new Error(`Firefox ended with code ${code}`)));
    firefox.once("error", reject);
  });
  async function close() {
    died.catch(() => {});
    const ended = new Promise((resolve) => firefox.once("exit", resolve));
    firefox.kill();
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
  try {
    await Promise.race([opened, died]);
  } catch (error) {
    if (firefox.exitCode === null) await close();
    throw error;
  }
  died.catch(() => {});
  return { version, newPage: async () => newPage(), close };
}
