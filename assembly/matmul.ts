/** (being written) */
export function matmul_placeholder(): void {}
