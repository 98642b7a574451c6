/** (being written) */
export function activation_placeholder(): void {}
