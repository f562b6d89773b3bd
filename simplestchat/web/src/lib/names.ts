/** Friendly names for rooms that nobody named. */

const QUALITIES = ["Amber", "Bright", "Calm", "Cedar", "Clear", "Coral", "Early", "Golden", "Green", "Misty", "Quiet", "Silver", "Sunny", "Velvet", "Warm", "Wild"];
const PLACES = ["bay", "bridge", "canyon", "forest", "garden", "harbour", "hill", "island", "lagoon", "library", "meadow", "orchard", "river", "terrace", "valley", "veranda"];

/** "Quiet harbour"; `random` gives numbers in [0, 1). */
export function roomName(random: () => number = Math.random): string {
  const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] ?? "";
  return `${pick(QUALITIES)} ${pick(PLACES)}`;
}
