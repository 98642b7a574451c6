/** Moving and filling bytes. */

/** Fill n floats with value. */
export function fill_f32(out: usize, value: f32, n: i32): void {
  const v = f32x4.splat(value);
  const end = out + (<usize>n << 2);
  const body = out + ((<usize>n >> 2) << 4);
  while (out < body) {
    v128.store(out, v);
    out += 16;
  }
  while (out < end) {
    store<f32>(out, value);
    out += 4;
  }
}

/** The register of copy bandwidth that memory-bound kernels are measured against: out[i] = x[i], n floats, n % 16 == 0. */
export function copy_loop(out: usize, x: usize, n: i32): void {
  const end = out + (<usize>n << 2);
  while (out < end) {
    v128.store(out, v128.load(x));
    v128.store(out, v128.load(x, 16), 16);
    v128.store(out, v128.load(x, 32), 32);
    v128.store(out, v128.load(x, 48), 48);
    out += 64;
    x += 64;
  }
}
