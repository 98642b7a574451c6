/** (being written) */
export function elementwise_placeholder(): void {}
