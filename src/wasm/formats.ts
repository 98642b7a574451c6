/** The layouts of what JavaScript writes for kernels, where both sides of `k` need to know them. */

/** Words of the entry of a table of tensors (assembly/optim.ts): five addresses, the count of elements, and four more. */
export const TABLE_WORDS = 10;
export const TABLE_COUNT = 5;

/** Bytes of the scratch memory of crop_normalize_u8 (assembly/crop.ts), for each thread. */
export const stripBytes = (ow: number): number => Math.ceil(Math.max(8192, ow) / 64) * 64;
