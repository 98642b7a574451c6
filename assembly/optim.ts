/** (being written) */
export function optim_placeholder(): void {}
