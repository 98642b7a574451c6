/**
 * Drives Debian's Firefox through WebDriver BiDi, of which this needs four commands. (Playwright wants a Firefox of its own; its
 * channel for stock ones sends commands that the ESR does not know.) Wants a global WebSocket: Node 22, or 20 with
 * --experimental-websocket.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A browser with `newPage()`, whose pages have `goto(url)`, `evaluate(fn, args)` and `close()`, as Playwright's. */
export async function launchFirefox(executablePath) {
  const profile = mkdtempSync(join(tmpdir(), "lanegrad-firefox-"));
  const args = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0", "about:blank"];
  const firefox = spawn(executablePath, args, { stdio: ["ignore", "ignore", "pipe"] });
  const address = await new Promise((resolve, reject) => {
    let said = "";
    firefox.on("exit", () => reject(new Error(`Firefox ended: ${said}`)));
    firefox.stderr.on("data", (chunk) => {
      said += chunk;
      const [, found] = /WebDriver BiDi listening on (ws:\S+)/.exec(said) ?? [];
      if (found) resolve(found);
    });
  });
  const socket = new WebSocket(`${address}/session`);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("Firefox refuses the connection"));
  });
  const waiting = new Map();
  socket.onmessage = ({ data }) => {
    const { id, result, message } = JSON.parse(data);
    const settle = waiting.get(id);
    waiting.delete(id);
    if (result !== undefined) settle?.resolve(result);
    else settle?.reject(new Error(message));
  };
  let id = 0;
  const send = (method, params) =>
    new Promise((resolve, reject) => {
      waiting.set(++id, { resolve, reject });
      socket.send(JSON.stringify({ id, method, params }));
    });

  const { capabilities } = await send("session.new", { capabilities: {} });
  async function newPage() {
    // A window each: of the tabs of one only the foremost is visible, and in hidden ones Firefox lets timers fire once a second.
    const { context } = await send("browsingContext.create", { type: "window" });
    return {
      on() {},
      goto: (url) => send("browsingContext.navigate", { context, url, wait: "complete" }),
      async evaluate(fn, argument) {
        const expression = `(async () => JSON.stringify(await (${fn})(${JSON.stringify(argument)})))()`;
        const target = { context };
        const answer = await send("script.evaluate", { expression, target, awaitPromise: true });
        if (answer.type === "exception") throw new Error(answer.exceptionDetails.text);
        return JSON.parse(answer.result.value);
      },
      // A tab whose process has died is gone already.
      close: () => send("browsingContext.close", { context }).catch(() => {}),
    };
  }
  async function close() {
    socket.close();
    const ended = new Promise((resolve) => firefox.once("exit", resolve));
    firefox.kill();
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
  return { version: capabilities.browserVersion, newPage, close };
}
