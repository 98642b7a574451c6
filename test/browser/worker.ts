/** The worker's side of page.ts. */
import { runFile } from "./harness.js";

addEventListener("message", async ({ data }: MessageEvent<string>) => postMessage(await runFile(data)), { once: true });
