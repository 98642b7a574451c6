/**
 * Writes assembly/conv-tiles-generated.ts: the register tiles of convolution, one function a size.
 *
 *   node scripts/generate-conv.mjs
 *
 * As with the tiles of matmul (generate-matmul.mjs, which says what shapes such code), asc neither unrolls loops over
 * constants nor folds inlined parameters, so the tiles are written out.
 *
 * - conv_strip: forward and input gradient. Convolutions have short sums (16 terms in a Winograd product of 16 channels), where
 *   the call and the arguments of a tile cost as much as its arithmetic. So one call walks along all columns of a block,
 *   and the weights, which are few and used again and again, are packed: one pointer, constant offsets.
 * - conv_dots: weight gradient. Both operands run along the pixels, so four lanes are four pixels: loading them costs no
 *   transposition, and the four partial sums are added up at the end, once for some hundred pixels. Two rows by six
 *   columns need the same eight loads for twelve multiply-adds as a strip of six rows.
 */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const STEPS = 4;
const range = (n) => Array.from({ length: n }, (_, i) => i);
const lines = [];
const put = (indent, text) => lines.push(text === "" ? "" : "  ".repeat(indent) + text);

/** The tiles of products: a strip of `height` rows of packed weights times one panel of eight columns after the other. */
function strip(height) {
  const rows = range(height);
  const halves = [0, 1];
  let barriers = 0;
  put(0, `/** ${height} rows. */`);
  put(0, `export function conv_strip_${height}(`);
  for (const p of ["out: usize", "ldo: usize", "a: usize", "b: usize", "ldb: usize", "kk: i32", "columns: i32"])
    put(1, `${p},`);
  put(0, "): void {");
  put(1, "for (; columns > 0; columns -= 8) {");
  for (const i of rows) for (const j of halves) put(2, `let c${i}${j} = f32x4.splat(0);`);
  put(2, "let p = a;");
  put(2, "let q = b;");
  put(2, "let n = kk;");
  put(2, "for (;;) {");
  for (const step of range(STEPS)) {
    for (const j of halves) put(3, `${step ? "" : "let "}b${j} = v128.load(q${j ? ", 16" : ""});`);
    for (const i of rows) {
      put(3, `${step || i ? "" : "let "}x = v128.load32_splat(p${i ? `, ${4 * i}` : ""});`);
      for (const j of halves) put(3, `c${i}${j} = madd(x, b${j}, c${i}${j});`);
      if (height === 5 && i % 2) put(3, `if (!ASC_FEATURE_RELAXED_SIMD && n == ${--barriers}) break;`);
    }
    put(3, `p += ${4 * height};`);
    put(3, "q += ldb;");
    put(3, step < STEPS - 1 ? `if (n == ${step + 1}) break;` : `if ((n -= ${STEPS}) == 0) break;`);
  }
  put(2, "}");
  put(2, "let to = out;");
  for (const i of rows) {
    if (i) put(2, "to += ldo;");
    for (const j of halves) put(2, `v128.store(to, c${i}${j}${j ? ", 16" : ""});`);
  }
  put(2, "out += 32;");
  put(2, "b += 32;");
  put(1, "}");
  put(0, "}");
  put(0, "");
}

/** The tiles of dot products: `width` rows of b against all rows of a, two at a time. */
function dots(width) {
  const columns = range(width);
  let barriers = 0;
  put(0, `/** ${width} columns. */`);
  put(0, `export function conv_dots_${width}(`);
  for (const p of [
    "out: usize",
    "ldo: usize",
    "rows: i32",
    "a: usize",
    "lda: usize",
    "b: usize",
    "ldb: usize",
    "n: i32",
  ])
    put(1, `${p},`);
  put(0, "): void {");
  put(1, "for (; rows > 0; rows -= 2) {");
  for (const i of [0, 1]) for (const j of columns) put(2, `let c${i}${j} = f32x4.splat(0);`);
  // An odd row at the end is taken twice: both copies give the same.
  put(2, "const nextA = rows > 1 ? lda : 0;");
  put(2, "const nextOut = rows > 1 ? ldo : 0;");
  put(2, "let a0 = a;");
  put(2, "let a1 = a + nextA;");
  put(2, "let b0 = b;");
  for (const j of columns.slice(1)) put(2, `let b${j} = b${j - 1} + ldb;`);
  put(2, "let m = n;");
  put(2, "for (;;) {");
  for (const step of range(STEPS)) {
    put(3, `${step ? "" : "let "}x0 = v128.load(a0);`);
    put(3, `${step ? "" : "let "}x1 = v128.load(a1);`);
    for (const j of columns) {
      put(3, `${step || j ? "" : "let "}y = v128.load(b${j});`);
      put(3, `c0${j} = madd(x0, y, c0${j});`);
      put(3, `c1${j} = madd(x1, y, c1${j});`);
      if (j % 2 && width > 4) put(3, `if (!ASC_FEATURE_RELAXED_SIMD && m == ${--barriers}) break;`);
    }
    put(3, "a0 += 16;");
    put(3, "a1 += 16;");
    for (const j of columns) put(3, `b${j} += 16;`);
    put(3, step < STEPS - 1 ? `if (m == ${step + 1}) break;` : `if ((m -= ${STEPS}) == 0) break;`);
  }
  put(2, "}");
  // Both rows are read before either is written: they may be the same one.
  const groups = [];
  for (let j = 0; j < width; j += 4) groups.push(columns.slice(j, j + 4));
  for (const i of [0, 1]) {
    const row = i ? "out + nextOut" : "out";
    groups.forEach((group, g) => {
      const c = (k) => (k < group.length ? `c${i}${group[k]}` : `c${i}${group[group.length - 1]}`);
      const at = 16 * g ? `, ${16 * g}` : "";
      const load =
        group.length === 4
          ? `v128.load(${row}${at})`
          : group.length === 3
            ? `loadTail(${row}${16 * g ? ` + ${16 * g}` : ""}, 3)`
            : `v128.load${32 * group.length}_zero(${row}${at})`;
      put(2, `const s${i}${g} = f32x4.add(${load}, sums(${c(0)}, ${c(1)}, ${c(2)}, ${c(3)}));`);
    });
  }
  for (const i of [0, 1]) {
    const row = i ? "out + nextOut" : "out";
    groups.forEach((group, g) => {
      const at = 16 * g;
      if (group.length === 4) put(2, `v128.store(${row}, s${i}${g}${at ? `, ${at}` : ""});`);
      else put(2, `storeTail(${row}${at ? ` + ${at}` : ""}, s${i}${g}, ${group.length});`);
    });
  }
  put(2, "a += nextA << 1;");
  put(2, "out += nextOut << 1;");
  put(1, "}");
  put(0, "}");
  put(0, "");
}

put(0, "// Generated by scripts/generate-conv.mjs, which explains the form; edit that.");
put(0, "");
put(0, "/**");
put(0, " * The register tiles of convolution.");
put(0, " *");
put(
  0,
  " * conv_strip_h   out[i, j] = Σ_p a[p, i] · b[p, j]         i < h, j < columns (a multiple of 8), p < kk, kk ≥ 1",
);
put(0, " * conv_dots_w    out[i, j] += Σ_t a[i, t] · b[j, t]        i < rows, j < w, t < 4·n, n ≥ 1");
put(0, " *");
put(
  0,
  " * ldo, lda and ldb, the rows of out, a and b, are in bytes. a is packed for strips: kk times h weights. Dot products add up",
);
put(0, " * in four lanes, then (0+2)+(1+3).");
put(0, " */");
put(0, 'import { loadTail, madd, storeTail } from "./simd";');
put(0, "");
put(0, "/** The sums of the lanes of four vectors. */");
put(0, "// @ts-ignore: decorator");
put(0, "@inline");
put(0, "function sums(a: v128, b: v128, c: v128, d: v128): v128 {");
put(1, "const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));");
put(1, "const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));");
put(1, "return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));");
put(0, "}");
put(0, "");
for (let n = 6; n > 0; n--) strip(n);
for (let n = 6; n > 0; n--) dots(n);
lines.pop();
const target = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), "../assembly/conv-tiles-generated.ts");
writeFileSync(target, `${lines.join("\n")}\n`);
