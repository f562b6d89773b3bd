/**
 * What the server may still hold for this page although nobody here wants it: each is closed, and asked for again until the
 * server has closed it or no longer knows it.
 */

import { RpcError } from "../net/rpc";
import type { OwnMedia } from "../net/wire";
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

  /**
   * The server says anew what it holds, and what was left before is either among that or gone. Left is now what was made
   * although its answer was lost: other transports of this direction, and on the `present` one whatever is not `known`. A
   * link that is just being made is not in `own`: it was asked for later.
   */
  find(own: OwnMedia, direction: "send" | "recv", present: string | undefined, known: ReadonlySet<string>): void {
    this.#left.clear();
    for (const { transportId, direction: other } of own.transports) {
      if (other === direction && transportId !== present) this.transport(transportId);
    }
    const isUnknown = (id: string, transportId: string): boolean => transportId === present && !known.has(id);
    for (const { producerId, transportId } of own.producers) if (isUnknown(producerId, transportId)) this.producer(producerId);
    for (const { consumerId, transportId } of own.consumers) if (isUnknown(consumerId, transportId)) this.consumer(consumerId);
  }

  /** Closes all; fails when some of it has to be tried again. */
  async close(): Promise<void> {
    await inBatches([...this.#left], async ([id, close]) => {
      await unlessGone(close());
      this.#left.delete(id);
    });
  }
}
