/** TensorFlow.js on its plain JavaScript backend. */
import { start } from "./tfjs.js";

export default () => start("cpu", "cpu backend");
