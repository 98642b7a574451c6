/** (being written) */
export function indexing_placeholder(): void {}
