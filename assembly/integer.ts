/** (being written) */
export function integer_placeholder(): void {}
