/** G g Gᵀ: the weights as winograd.ts's passes read them. */
import { strip_height } from "./conv-product";
import { place_bytes } from "./winograd-sizes";

/**
 * u [16][oc·ic] = G w Gᵀ of the filters w [oc][ic][3][3], packed for conv_product: as weights from ic to oc channels or, transposed,
 * from oc to ic channels with every filter turned by 180°. Of the channels that come in c0 to c1.
 */
export function winograd_weights(u: usize, w: usize, oc: i32, ic: i32, transposed: i32, c0: i32, c1: i32): void {
  const place = place_bytes(oc * ic);
  const rows = transposed ? ic : oc;
  const columns = transposed ? oc : ic;
  const ar = transposed ? 36 : ic * 36;
  const ac = transposed ? ic * 36 : 36;
  for (let left = rows; left > 0; ) {
    const h = strip_height(left);
    let to = u + (<usize>(c0 * h) << 2);
    for (let p = c0; p < c1; p++) {
      let from = w + <usize>p * ac;
      for (let i = 0; i < h; i++) {
        transform_filter(to, place, from, transposed);
        to += 4;
        from += ar;
      }
    }
    u += <usize>(h * columns) << 2;
    w += <usize>h * ar;
    left -= h;
  }
}

/** One filter: rows of G w in vectors, transposed, so that columns of the result are. Turned, places 0 and 3 are exchanged both ways. */
function transform_filter(u: usize, place: usize, w: usize, turned: i32): void {
  const half = f32x4.splat(0.5);
  const w0 = v128.load(w);
  const w1 = v128.load(w, 12);
  const end = v128.load(w, 20);
  const w2 = v128.shuffle<f32>(end, end, 1, 2, 3, 3);
  const even = f32x4.mul(half, f32x4.add(w0, w2));
  const odd = f32x4.mul(half, w1);
  const r1 = f32x4.add(even, odd);
  const r2 = f32x4.sub(even, odd);
  const low = v128.shuffle<f32>(w0, r1, 0, 4, 1, 5);
  const high = v128.shuffle<f32>(r2, w2, 0, 4, 1, 5);
  const c0 = v128.shuffle<f32>(low, high, 0, 1, 4, 5);
  const c1 = v128.shuffle<f32>(low, high, 2, 3, 6, 7);
  const c2 = v128.shuffle<f32>(v128.shuffle<f32>(w0, r1, 2, 6, 2, 6), v128.shuffle<f32>(r2, w2, 2, 6, 2, 6), 0, 1, 4, 5);
  const evenColumns = f32x4.mul(half, f32x4.add(c0, c2));
  const oddColumns = f32x4.mul(half, c1);
  const last: usize = 3 * place;
  const outer = turned ? last : 0;
  store_places(u + outer, place, outer << 2, c0);
  store_places(u + place, place, outer << 2, f32x4.add(evenColumns, oddColumns));
  store_places(u + 2 * place, place, outer << 2, f32x4.sub(evenColumns, oddColumns));
  store_places(u + last - outer, place, outer << 2, c2);
}

/** A column of four places, the first one `outer` from u, the last one as far from the end. */
// @ts-ignore: decorator
@inline
function store_places(u: usize, place: usize, outer: usize, v: v128): void {
  v128.store32_lane(u + outer, v, 0);
  v128.store32_lane(u + 4 * place, v, 1);
  v128.store32_lane(u + 8 * place, v, 2);
  v128.store32_lane(u + 12 * place - outer, v, 3);
}
