/**
 * How the Winograd passes (winograd.ts) lie in memory.
 *
 * Transformed weights are 16 places of a float for each filter. Scratch memory has, for one block of tiles: the transformed
 * input V [16][ic][row], the products [16][oc][row], or the transformed gradient in their stead, and the rows of one image
 * that the block lies in, split into even and odd columns.
 */

/** Bytes of transformed input and products of a block that is worked on at once. */
// @ts-ignore: decorator
@inline
const BLOCK_BYTES: i32 = 786432;

/** Tiles in a block, a multiple of 8. */
export function winograd_block(channels: i32): i32 {
  return min(max((BLOCK_BYTES / 64 / channels) & ~7, 32), 256);
}

/** Floats of a row of tiles: with room for the lanes behind the last. */
// @ts-ignore: decorator
@inline
export function row_floats(block: i32): i32 {
  return block + 8;
}

/** Floats of one phase of a row of the split image, for so many tiles. */
// @ts-ignore: decorator
@inline
export function tile_pitch(tiles: i32): i32 {
  return (tiles + 7) & ~3;
}

/** Bytes of scratch memory that a pass with so many channels in and out and so wide an image (in tiles) needs. */
export function winograd_scratch(ic: i32, oc: i32, tilesX: i32): i32 {
  const block = winograd_block(ic + oc);
  const rows = 2 * ((block - 2) / tilesX + 2) + 2;
  return (16 * (ic + oc) * row_floats(block) + rows * 2 * tile_pitch(tilesX) + 64) * 4;
}

/** Bytes from one of the 16 places to the next, for so many filters: not a power of two, or all would fall on each other in the cache. */
// @ts-ignore: decorator
@inline
export function place_bytes(filters: i32): usize {
  return (<usize>filters << 2) + 64;
}

/** Bytes of so many transformed filters, or of their gradients. */
export function winograd_transformed(filters: i32): i32 {
  return <i32>place_bytes(filters) << 4;
}

/** Blocks of tiles that conv2d_winograd works through. */
export function winograd_units(n: i32, ic: i32, oc: i32, oh: i32, ow: i32): i32 {
  const block = winograd_block(ic + oc);
  return (n * ((oh + 1) >> 1) * ((ow + 1) >> 1) + block - 1) / block;
}
