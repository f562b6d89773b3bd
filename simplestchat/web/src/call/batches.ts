/** Many requests side by side, and yet not so many at a time that they look like a flood. */

import { RpcError, UnansweredError } from "../net/rpc";

const PARALLEL = 8;

/** Refusals that would meet the next requests as well. */
const GENERAL_REASONS: ReadonlySet<string> = new Set(["rate_limited", "media_unavailable"]);

function meetsAll(error: unknown): boolean {
  return error instanceof UnansweredError || (error instanceof RpcError && GENERAL_REASONS.has(error.reason));
}

/** Does it with each, also when it fails with some; throws the first failure in the end, or as soon as it would meet all. */
export async function inBatches<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  for (let start = 0; start < items.length && !failures.some(meetsAll); start += PARALLEL) {
    const results = await Promise.allSettled(items.slice(start, start + PARALLEL).map(task));
    for (const result of results) if (result.status === "rejected") failures.push(result.reason);
  }
  if (failures.length > 0) throw failures[0];
}
