import { describe, expect, it } from "vitest";
import { meterLength } from "../src/call/meter";
import { sameSet, SPEAKING_LEVEL, SpeakingDetector } from "../src/call/speaking";

describe("SpeakingDetector", () => {
  it("is quick to notice and bridges the pauses between words", () => {
    const detector = new SpeakingDetector();
    expect(detector.update(new Map([["a", SPEAKING_LEVEL], ["b", SPEAKING_LEVEL / 2]]), 0)).toEqual(new Set(["a"]));
    expect(detector.update(new Map([["a", 0]]), 500)).toEqual(new Set(["a"]));
    expect(detector.update(new Map([["a", 0]]), 1_000)).toEqual(new Set());
  });

  it("forgets who is gone", () => {
    const detector = new SpeakingDetector();
    detector.update(new Map([["a", 1]]), 0);
    expect(detector.update(new Map(), 5_000)).toEqual(new Set());
  });
});

describe("sameSet", () => {
  it("compares by content", () => {
    expect(sameSet(new Set(["a", "b"]), new Set(["b", "a"]))).toBe(true);
    expect(sameSet(new Set(["a"]), new Set(["b"]))).toBe(false);
    expect(sameSet(new Set(["a"]), new Set(["a", "b"]))).toBe(false);
  });
});

describe("meterLength", () => {
  it("grows from silence to loud and stays between 0 and 1", () => {
    const lengths = [0, 0.001, 0.01, 0.05, 0.2, 1, 5].map(meterLength);
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
    expect(lengths[0]).toBe(0);
    expect(lengths.at(-1)).toBe(1);
  });
});
