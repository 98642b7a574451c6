/** Packing for matmul: copies of blocks in the order in which tiles read them. Strides are in bytes. */

/**
 * Pack kb rows and nb columns of b into panels, one for each tile that matmul_strip makes: [kb][8] each, at the end
 * one or two of [kb][4], the last of the last 4 columns (which may begin before this block, in columns of b that are
 * done).
 */
export function pack_b(to: usize, b: usize, br: usize, bc: usize, nb: i32, kb: i32, narrow: bool): void {
  let j = 0;
  for (; j + 8 <= nb; j += 8) {
    if (bc == 4) {
      let from = b;
      for (let p = 0; p < kb; p++) {
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
        to += 32;
        from += br;
      }
    } else {
      pack4(to, 32, b, br, bc, kb);
      pack4(to + 16, 32, b + 4 * bc, br, bc, kb);
      to += <usize>kb << 5;
    }
    b += bc << 3;
  }
  if (narrow) {
    for (let p = 0; p < kb; p++) {
      v128.store(to, f32x4.splat(0));
      for (let i = 0; i < nb; i++) store<f32>(to + (<usize>i << 2), load<f32>(b + <usize>i * bc));
      to += 16;
      b += br;
    }
    return;
  }
  if (nb - j > 4) {
    pack4(to, 16, b, br, bc, kb);
    to += <usize>kb << 4;
  }
  if (nb > j) pack4(to, 16, b - (<usize>(j + 4 - nb)) * bc, br, bc, kb);
}

/** to[p·step] = the 4 columns of b's row p, for any strides; steps of 4 rows transpose in registers. */
function pack4(to: usize, step: usize, b: usize, br: usize, bc: usize, kb: i32): void {
  if (bc == 4) {
    for (; kb > 0; kb--) {
      v128.store(to, v128.load(b));
      b += br;
      to += step;
    }
    return;
  }
  let b1 = b + bc;
  let b2 = b1 + bc;
  let b3 = b2 + bc;
  if (br == 4) {
    for (; kb >= 4; kb -= 4) {
      const r0 = v128.load(b);
      const r1 = v128.load(b1);
      const r2 = v128.load(b2);
      const r3 = v128.load(b3);
      const s0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
      const s1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
      const s2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
      const s3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<f32>(s0, s1, 0, 1, 4, 5));
      to += step;
      v128.store(to, v128.shuffle<f32>(s0, s1, 2, 3, 6, 7));
      to += step;
      v128.store(to, v128.shuffle<f32>(s2, s3, 0, 1, 4, 5));
      to += step;
      v128.store(to, v128.shuffle<f32>(s2, s3, 2, 3, 6, 7));
      to += step;
      b += 16;
      b1 += 16;
      b2 += 16;
      b3 += 16;
    }
  }
  for (; kb > 0; kb--) {
    let v = v128.load32_zero(b);
    v = v128.load32_lane(b1, v, 1);
    v = v128.load32_lane(b2, v, 2);
    v128.store(to, v128.load32_lane(b3, v, 3));
    to += step;
    b += br;
    b1 += br;
    b2 += br;
    b3 += br;
  }
}

/**
 * Copy a strip of a, h rows of kb terms: where they run along p as [h][kb + 4] (so that rows 4 KB apart do not fall on
 * each other in the cache), else as [kb][h].
 */
export function pack_a(to: usize, a: usize, ar: usize, ac: usize, h: i32, kb: i32): void {
  if (ac == 4) {
    for (let i = 0; i < h; i++) {
      let p = 0;
      for (; p + 4 <= kb; p += 4) v128.store(to + (<usize>p << 2), v128.load(a + (<usize>p << 2)));
      for (; p < kb; p++) store<f32>(to + (<usize>p << 2), load<f32>(a + (<usize>p << 2)));
      to += <usize>(kb + 4) << 2;
      a += ar;
    }
    return;
  }
  for (let p = 0; p < kb; p++) {
    let from = a;
    let i = 0;
    if (ar == 4) {
      for (; i + 4 <= h; i += 4) {
        v128.store(to, v128.load(from));
        to += 16;
        from += 16;
      }
    }
    for (; i < h; i++) {
      store<f32>(to, load<f32>(from));
      to += 4;
      from += ar;
    }
    a += ac;
  }
}
