/** Pages in Chromium: serves a folder, opens a page of it, and gives what the page printed to the console. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { chromium } from "playwright-core";

const TYPES = { ".js": "text/javascript", ".html": "text/html", ".wasm": "application/wasm" };

/** A browser, and `printed(folder, html)`: the lines a page prints until it prints one that matches `until`. */
export async function openBrowser() {
  const profile = mkdtempSync(join(tmpdir(), "lanegrad-chromium-"));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
  async function printed(folder, html, until, timeout = 60_000) {
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url, "http://localhost");
      const file = join(folder, pathname);
      if (pathname === "/") return response.writeHead(200, { "content-type": "text/html" }).end(html);
      if (!existsSync(file)) return response.writeHead(404).end();
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "text/plain" }).end(readFileSync(file));
    });
    await new Promise((resolve) => server.listen(0, "localhost", resolve));
    const page = await browser.newPage();
    const lines = [];
    try {
      await new Promise((resolve, reject) => {
        const late = () => reject(new Error(`the page printed only ${JSON.stringify(lines)}`));
        const timer = setTimeout(late, timeout);
        page.on("pageerror", (error) => reject(new Error(`the page failed: ${error.stack ?? error.message}`)));
        page.on("console", (message) => {
          lines.push(message.text());
          if (until.test(message.text())) resolve(clearTimeout(timer));
        });
        page.goto(`http://localhost:${server.address().port}/`).catch(reject);
      });
    } finally {
      await page.close();
      server.close();
    }
    return lines;
  }
  const close = async () => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { printed, close };
}
