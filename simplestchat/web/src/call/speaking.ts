/** Who is speaking now, from levels that flicker: quick to notice, slow to forget. Time comes in as an argument. */

/** Linear level (0–1) above which a voice counts; about −42 dBov. */
export const SPEAKING_LEVEL = 0.008;
/** A voice still counts this long after its last loud moment, so that pauses between words do not blink. */
const HOLD_MS = 700;

export class SpeakingDetector {
  readonly #loudAt = new Map<string, number>();

  /** Takes the levels of one moment and returns the ids that speak. */
  update(levels: ReadonlyMap<string, number>, nowMs: number): Set<string> {
    for (const [id, level] of levels) if (level >= SPEAKING_LEVEL) this.#loudAt.set(id, nowMs);
    const speaking = new Set<string>();
    for (const [id, at] of this.#loudAt) {
      if (nowMs - at <= HOLD_MS) speaking.add(id);
      else this.#loudAt.delete(id);
    }
    return speaking;
  }
}

/** Whether two sets hold the same ids, so that nothing is drawn again for nothing. */
export function sameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((id) => b.has(id));
}
