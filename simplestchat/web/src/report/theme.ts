/** Colours for what is painted on canvases, which know nothing of the style sheet. */

import { signal } from "@preact/signals";

/** Grows when the colours have changed: who painted with them paints anew. */
export const repaint = signal(0);

const dark = window.matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", () => repaint.value++);

// Paper is white, whatever the screen is.
window.addEventListener("beforeprint", () => {
  document.documentElement.dataset["theme"] = "light";
  repaint.value++;
});
window.addEventListener("afterprint", () => {
  delete document.documentElement.dataset["theme"];
  repaint.value++;
});

/** Read a colour of the style sheet as it is just now. */
export function colour(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const CURVES = 8;

/** The colour of the curve at this place. */
export function curveColour(index: number): string {
  return colour(`curve-${(index % CURVES) + 1}`);
}

/** From the second round on, lines are dashed, so that no two look alike. */
export function curveDash(index: number): number[] {
  return index < CURVES ? [] : [5 + 3 * Math.floor(index / CURVES), 4];
}
