import { describe, expect, it } from "vitest";
import { Backoff } from "../src/lib/backoff";

describe("Backoff", () => {
  it("doubles its step and stays between half of it and the whole", () => {
    for (const random of [() => 0, () => 0.5, () => 0.999]) {
      const backoff = new Backoff({ firstMs: 100, capMs: 10_000, random });
      for (const step of [100, 200, 400, 800]) {
        const wait = backoff.next();
        expect(wait).toBeGreaterThanOrEqual(step / 2);
        expect(wait).toBeLessThanOrEqual(step);
      }
    }
  });

  it("never waits longer than its cap, however often it is asked", () => {
    const backoff = new Backoff({ firstMs: 500, capMs: 8_000, random: () => 1 });
    const waits = Array.from({ length: 5_000 }, () => backoff.next());
    expect(Math.max(...waits)).toBe(8_000);
  });

  it("spreads a crowd: equal attempts give different waits", () => {
    const waits = Array.from({ length: 100 }, () => new Backoff({ firstMs: 1_000, capMs: 8_000 }).next());
    expect(new Set(waits).size).toBeGreaterThan(90);
  });

  it("begins anew after a success", () => {
    const backoff = new Backoff({ firstMs: 100, capMs: 10_000, random: () => 1 });
    backoff.next();
    backoff.next();
    expect(backoff.attempts).toBe(2);
    backoff.reset();
    expect(backoff.attempts).toBe(0);
    expect(backoff.next()).toBe(100);
  });
});
