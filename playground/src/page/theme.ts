/** Light or dark: as the system has it, or as chosen here. */
import { effect, signal } from "@preact/signals";

const KEY = "lanegrad-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function remembered(): boolean | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === null ? null : value === "dark";
  } catch {
    // A page in a sandbox has no storage.
    return null;
  }
}

export const dark = signal(remembered() ?? system.matches);
system.addEventListener("change", ({ matches }) => {
  if (remembered() === null) dark.value = matches;
});

effect(() => {
  document.documentElement.dataset.theme = dark.value ? "dark" : "light";
});

export function toggleTheme(): void {
  dark.value = !dark.value;
  try {
    localStorage.setItem(KEY, dark.value ? "dark" : "light");
  } catch {
    // Then it is forgotten with the page.
  }
}

/** The value of a CSS variable now. */
export const cssColor = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Red, green and blue of the ink on the page, from 0 to 255. */
export const inkColor = (): readonly number[] => (dark.value ? [238, 241, 247] : [24, 29, 41]);
