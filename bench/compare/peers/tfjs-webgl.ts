/** TensorFlow.js on the graphics card, or on what the browser draws with where there is none. */
import { start } from "./tfjs.js";

export default function load() {
  const gl = document.createElement("canvas").getContext("webgl2");
  const extension = gl?.getExtension("WEBGL_debug_renderer_info");
  const renderer = extension && gl!.getParameter(extension.UNMASKED_RENDERER_WEBGL);
  return start("webgl", `webgl backend (${renderer ?? "no WebGL 2"})`);
}
