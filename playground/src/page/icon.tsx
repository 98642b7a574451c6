/** Lucide's icons, as Preact elements. */
import type { IconNode } from "lucide";
import { h } from "preact";

/** An icon beside words: screen readers pass over it. */
export const Icon = ({ of, size = 18 }: { of: IconNode; size?: number }) => (
  <svg
    width={size}
    height={size}
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="2"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    {of.map(([tag, attributes]) => h(tag, attributes as any))}
  </svg>
);
