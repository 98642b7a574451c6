/** (being written) */
export function norm_placeholder(): void {}
