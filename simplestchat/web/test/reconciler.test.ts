import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Backoff } from "../src/lib/backoff";
import { Reconciler } from "../src/lib/reconciler";

const backoff = () => new Backoff({ firstMs: 100, capMs: 1_000, random: () => 1 });

describe("Reconciler", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("never runs two steps at once and misses no change", async () => {
    let running = 0;
    let most = 0;
    let wanted = 0;
    let done = 0;
    const reconciler = new Reconciler(async () => {
      most = Math.max(most, ++running);
      const seen = wanted;
      await vi.advanceTimersByTimeAsync(1);
      done = seen;
      running -= 1;
    }, backoff());
    for (wanted = 1; wanted < 20; wanted += 1) reconciler.request();
    await vi.waitFor(() => expect(done).toBe(wanted));
    expect(most).toBe(1);
  });

  it("tries again after a failure, each time later, until it is done", async () => {
    const step = vi.fn<() => Promise<void>>().mockRejectedValueOnce(new Error("1")).mockRejectedValueOnce(new Error("2")).mockResolvedValue();
    new Reconciler(step, backoff()).request();
    await vi.advanceTimersByTimeAsync(99);
    expect(step).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(step).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(200);
    expect(step).toHaveBeenCalledTimes(3);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(step).toHaveBeenCalledTimes(3);
  });

  it("does nothing more once it is stopped", async () => {
    const step = vi.fn<() => Promise<void>>().mockRejectedValue(new Error("no"));
    const reconciler = new Reconciler(step, backoff());
    reconciler.request();
    await vi.advanceTimersByTimeAsync(0);
    reconciler.stop();
    reconciler.request();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(step).toHaveBeenCalledTimes(1);
  });
});
