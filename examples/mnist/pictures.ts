/** The digits that were read wrongly, as a picture. */
import { encode } from "fast-png";
import { saveChart } from "../support/charts.js";
import { caption, type Mistake } from "./digits.js";

const DIGIT = 84;
const COLUMNS = 6;

/** The digits with what was read in them, as ink on paper. */
export function saveMistakes(name: string, mistakes: readonly Mistake[]): Promise<string> {
  const values = mistakes.map((mistake, i) => ({
    image: imageUrl(mistake.pixels),
    caption: caption(mistake),
    column: i % COLUMNS,
    row: Math.floor(i / COLUMNS),
  }));
  return saveChart(name, {
    title: "Wrongly read, the surest first",
    data: { values },
    width: { step: DIGIT + 16 },
    height: { step: DIGIT + 32 },
    encoding: {
      x: { field: "column", type: "ordinal", axis: null },
      y: { field: "row", type: "ordinal", axis: null },
    },
    layer: [
      {
        mark: { type: "image", width: DIGIT, height: DIGIT, aria: false },
        encoding: { url: { field: "image" } },
      },
      {
        mark: { type: "text", dy: DIGIT / 2 + 8, fontSize: 12 },
        encoding: { text: { field: "caption" } },
      },
    ],
  });
}

/** Pixels as a data URL, three times as large: viewers blur what they enlarge themselves. */
function imageUrl(pixels: Uint8Array): string {
  const scale = DIGIT / 28;
  const ink = new Uint8Array(DIGIT * DIGIT);
  for (let y = 0; y < DIGIT; y++) {
    for (let x = 0; x < DIGIT; x++) {
      ink[y * DIGIT + x] = 255 - pixels[Math.floor(y / scale) * 28 + Math.floor(x / scale)];
    }
  }
  const png = encode({ width: DIGIT, height: DIGIT, data: ink, channels: 1, depth: 8 });
  return `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
}
