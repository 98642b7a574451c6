/** (being written) */
export function loss_placeholder(): void {}
