/** Debian's Chromium, driven by playwright-core. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Where it is; installed with apt where it is missing and that is allowed. Null where there is none to be had. */
function findChromium(): string | null {
  const places = [
    process.env.CHROMIUM,
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ];
  const found = () => places.find((place): place is string => place !== undefined && existsSync(place)) ?? null;
  if (found() === null && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    const options = { stdio: "ignore" } as const;
    try {
      execFileSync("apt-get", ["update"], options);
      execFileSync("apt-get", ["install", "-y", "--no-install-recommends", "chromium"], options);
    } catch {
      // Then there is none, which is told below.
    }
  }
  return found();
}

export const CHROMIUM = findChromium();
if (CHROMIUM === null) {
  console.error(
    "\nNO CHROMIUM: all tests of the playground are SKIPPED. Install it (apt-get install chromium), or say CHROMIUM=path.\n",
  );
}

/** With a new, empty profile. */
export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM as string, headless: true, args: FLAGS });
