/** Draws digits in the terminal. */

/** A digit that was taken for another. */
export interface Mistake {
  read: number;
  is: number;
  /** 28 × 28 bytes, 255 is ink. */
  pixels: Uint8Array;
}

export const caption = ({ read, is }: Mistake): string => `read ${read}, is ${is}`;

const SIZE = 28;
/** Empty on all sides of most digits, left out to have more of them side by side. */
const MARGIN = 2;
const SHOWN = SIZE - 2 * MARGIN;
const GAP = "  ";

/** The first digits side by side, as many as the terminal has room for, with captions. */
export function drawDigits(mistakes: readonly Mistake[], count: number): string {
  const perRow = Math.max(1, Math.floor(((process.stdout.columns ?? 80) + GAP.length) / (SHOWN + GAP.length)));
  const colours = process.stdout.isTTY && process.stdout.hasColors(256);
  const rows: string[] = [];
  for (let start = 0; start < Math.min(count, mistakes.length); start += perRow) {
    const row = mistakes.slice(start, Math.min(count, start + perRow));
    for (let y = MARGIN; y < SIZE - MARGIN; y += 2) {
      rows.push(row.map(({ pixels }) => line(pixels, y, colours)).join(GAP));
    }
    rows.push(
      `${row
        .map((mistake) => caption(mistake).padEnd(SHOWN))
        .join(GAP)
        .trimEnd()}\n`,
    );
  }
  return rows.join("\n");
}

/** Two rows of pixels as one line: a half block has the upper pixel's colour, its background the lower one's. */
function line(pixels: Uint8Array, y: number, colours: boolean): string {
  let text = "";
  for (let x = MARGIN; x < SIZE - MARGIN; x++) {
    const [upper, lower] = [pixels[y * SIZE + x], pixels[(y + 1) * SIZE + x]];
    text += colours
      ? `\x1b[38;5;${grey(upper)};48;5;${grey(lower)}m▀`
      : " ▀▄█"[(upper > 96 ? 1 : 0) + (lower > 96 ? 2 : 0)];
  }
  return colours ? `${text}\x1b[0m` : text;
}

/** The 24 greys of a terminal with 256 colours. */
const grey = (value: number): number => 232 + Math.round((value / 255) * 23);
