import { describe, expect, it } from "vitest";
import { inBatches } from "../src/call/batches";
import { RpcError, UnansweredError } from "../src/net/rpc";

const refusal = (word: string): RpcError => new RpcError(4000, word, word);
const numbers = Array.from({ length: 40 }, (_, index) => index);

/** What was tried when the third of them fails. */
async function tried(failure: Error): Promise<number> {
  let count = 0;
  const done = inBatches(numbers, async (number) => {
    count += 1;
    if (number === 2) throw failure;
  });
  await expect(done).rejects.toBe(failure);
  return count;
}

describe("inBatches", () => {
  it("goes on past one that fails, and says so in the end", async () => {
    expect(await tried(refusal("internal"))).toBe(40);
    expect(await tried(new Error("the browser cannot"))).toBe(40);
  });

  it("stops when the others would meet the same", async () => {
    for (const failure of [refusal("rate_limited"), refusal("media_unavailable"), new UnansweredError("no answer")]) {
      expect(await tried(failure)).toBeLessThan(20);
    }
  });

  it("has many under way, but not all", async () => {
    let running = 0;
    let most = 0;
    await inBatches(numbers, async () => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running -= 1;
    });
    expect(most).toBeGreaterThan(4);
    expect(most).toBeLessThan(20);
  });
});
