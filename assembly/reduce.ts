/** (being written) */
export function reduce_placeholder(): void {}
