import type { ReadonlySignal } from "@preact/signals";
import { meterLength } from "../../call/meter";

/** How loud the microphone is, as a row of lights. */
export function LevelBar({ level }: { level: ReadonlySignal<number> }) {
  const length = meterLength(level.value);
  return (
    <div
      class="level"
      role="meter"
      data-testid="microphone-level"
      aria-label="Microphone level"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(length * 100)}
    >
      <span class="level-fill" style={{ "--length": String(length) }} />
    </div>
  );
}
