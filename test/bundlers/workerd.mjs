/** Cloudflare's runtime, which compiles no bytes: a worker gets the kernels as a compiled module. */
import { spawn } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import * as esbuild from "esbuild";

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** The text with which the worker of `code` answers; `code` may import "lanegrad" and its .wasm files. */
export async function answerOf(code, user, binary) {
  writeFileSync(join(user, "worker-source.js"), code);
  await esbuild.build({
    entryPoints: [join(user, "worker-source.js")],
    outfile: join(user, "worker.js"),
    bundle: true,
    format: "esm",
    conditions: ["workerd", "worker", "browser"],
    external: ["lanegrad/*.wasm"],
    logLevel: "error",
  });
  for (const name of ["simd", "relaxed"]) {
    copyFileSync(join(user, `node_modules/lanegrad/dist/${name}.wasm`), join(user, `${name}.wasm`));
  }
  const port = await freePort();
  writeFileSync(
    join(user, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [
      (name = "worker", esModule = embed "worker.js"),
      (name = "lanegrad/simd.wasm", wasm = embed "simd.wasm"),
      (name = "lanegrad/relaxed.wasm", wasm = embed "relaxed.wasm"),
    ],
    compatibilityDate = "2026-01-01",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`,
  );
  const workerd = spawn(binary, ["serve", "config.capnp"], { cwd: user, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  workerd.stderr.on("data", (chunk) => {
    said += chunk;
  });
  try {
    for (let tries = 0; ; tries++) {
      try {
        return await (await fetch(`http://127.0.0.1:${port}/`)).text();
      } catch (error) {
        if (tries === 100 || workerd.exitCode !== null) throw new Error(`workerd gave no answer: ${error}\n${said}`);
        await new Promise((done) => setTimeout(done, 100));
      }
    }
  } finally {
    workerd.kill();
  }
}
