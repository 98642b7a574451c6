/** (being written) */
export function softmax_placeholder(): void {}
