/** (being written) */
export function transforms_placeholder(): void {}
