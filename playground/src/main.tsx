import "@fontsource-variable/inter";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { render } from "preact";
import { App } from "./page/app.js";
import { start } from "./state.js";

start();
render(<App />, document.getElementById("app") as HTMLElement);
