/** (being written) */
export function peak_placeholder(): void {}
