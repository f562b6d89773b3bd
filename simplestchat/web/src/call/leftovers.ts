/**
 * What the server may still hold for this page although nobody here wants it: each is closed, and asked for again until the
 * server has closed it or no longer knows it.
 */

import { RpcError } from "../net/rpc";
import { inBatches } from "./batches";
import type { Request } from "./link";

/** It is gone at the server already; its notification is on its way and settles the rest. */
const GONE_REASONS: ReadonlySet<string> = new Set(["not_found", "not_in_room"]);

/** Waits for the answer; that the thing is gone is as good as any. */
export async function unlessGone(answer: Promise<unknown>): Promise<void> {
  await answer.catch((error: unknown) => {
    if (!(error instanceof RpcError && GONE_REASONS.has(error.reason))) throw error;
  });
}

export class Leftovers {
  readonly #request: Request;
  readonly #left = new Map<string, () => Promise<unknown>>();

  constructor(request: Request) {
    this.#request = request;
  }

  transport(transportId: string): void {
    this.#left.set(transportId, () => this.#request("transport.close", { transportId }));
  }

  producer(producerId: string): void {
    this.#left.set(producerId, () => this.#request("producer.close", { producerId }));
  }

  consumer(consumerId: string): void {
    this.#left.set(consumerId, () => this.#request("consumer.close", { consumerId }));
  }

  /** The server says anew what it holds: what was left before is either among that or gone. */
  forget(): void {
    this.#left.clear();
  }

  /** Closes all; fails when some of it has to be tried again. */
  async close(): Promise<void> {
    await inBatches([...this.#left], async ([id, close]) => {
      await unlessGone(close());
      this.#left.delete(id);
    });
  }
}
