/**
 * Tells the server how large each picture is shown, so that nothing is sent that nobody sees.
 *
 * Sizes change with every frame of an animation; they are collected and told together. Who comes into view or goes out of
 * it is told at once. What is asked for by producer here is told by consumer, and again for each new consumer.
 */

import { RpcError } from "../net/rpc";
import type { ConsumerView } from "../net/wire";
import type { Request } from "./link";

export interface View {
  /** In device pixels; 0 while nobody can see it. */
  readonly width: number;
  readonly height: number;
}

export const HIDDEN: View = { width: 0, height: 0 };
/** What the person keeps in view comes before everything else. */
const PINNED = 255;
const ORDINARY = 1;
const COLLECT_MS = 150;
const RETRY_MS = 1_500;
/** So many in one message. */
const BATCH = 100;

const isHidden = ({ width, height }: View): boolean => width === 0 || height === 0;

export class Views {
  readonly #request: Request;
  readonly #views = new Map<string, View>();
  /** Those without a tile: forgotten as soon as nothing is received of them. */
  readonly #gone = new Set<string>();
  /** By consumer: what the server knows. */
  #told = new Map<string, View>();
  /** Those that were ever told, by consumer; `null` from a request to its answer, which may be lost. */
  readonly #priorities = new Map<string, number | null>();
  #consumers: ReadonlyMap<string, string> = new Map();
  #pinned: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueMs = Infinity;
  /** The server knows nothing of views. */
  #unknown = false;
  #telling = false;

  constructor(request: Request) {
    this.#request = request;
  }

  /** A picture is shown in this size; `null`: its tile is gone from the page. */
  set(producerId: string, view: View | null): void {
    const before = this.#views.get(producerId);
    if (view === null) this.#gone.add(producerId);
    else this.#gone.delete(producerId);
    this.#views.set(producerId, view ?? HIDDEN);
    this.#schedule(before && isHidden(before) === isHidden(view ?? HIDDEN) ? COLLECT_MS : 0);
  }

  pin(producerId: string | null): void {
    this.#pinned = producerId;
    this.#schedule(0);
  }

  /** The consumers there are now, by producer. */
  setConsumers(consumers: ReadonlyMap<string, string>): void {
    this.#consumers = consumers;
    for (const id of this.#gone) {
      if (consumers.has(id)) continue;
      this.#gone.delete(id);
      this.#views.delete(id);
    }
    const alive = new Set(consumers.values());
    for (const known of [this.#told, this.#priorities]) for (const id of known.keys()) if (!alive.has(id)) known.delete(id);
    this.#schedule(0);
  }

  /** There was a gap: the sizes are told anew. Priorities stay, for the server keeps them. */
  forget(): void {
    this.#told = new Map();
    this.#schedule(0);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#dueMs = 0; // nothing is due before it
  }

  #schedule(afterMs: number): void {
    const dueMs = performance.now() + afterMs;
    if (dueMs >= this.#dueMs) return;
    this.#dueMs = dueMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#tell(), afterMs);
  }

  async #tell(): Promise<void> {
    this.#dueMs = Infinity;
    if (this.#telling) return this.#schedule(COLLECT_MS);
    this.#telling = true;
    try {
      await this.#tellPriorities();
      await this.#tellViews();
    } catch (error) {
      this.#onFailure(error);
    } finally {
      this.#telling = false;
    }
  }

  #onFailure(error: unknown): void {
    // Without an answer the signaling is broken: everything is told again when it is back.
    if (!(error instanceof RpcError)) return;
    if (error.reason === "method_not_found") this.#unknown = true;
    else if (error.reason === "rate_limited") this.#schedule(RETRY_MS);
  }

  async #tellViews(): Promise<void> {
    if (this.#unknown) return;
    const news: ConsumerView[] = [];
    for (const [producerId, consumerId] of this.#consumers) {
      const view = this.#views.get(producerId);
      const told = this.#told.get(consumerId);
      if (view && (told?.width !== view.width || told.height !== view.height)) news.push({ consumerId, ...view });
    }
    for (let start = 0; start < news.length; start += BATCH) {
      const views = news.slice(start, start + BATCH);
      await this.#request("consumer.setViews", { views });
      for (const { consumerId, width, height } of views) this.#told.set(consumerId, { width, height });
    }
  }

  async #tellPriorities(): Promise<void> {
    for (const [producerId, consumerId] of this.#consumers) {
      const priority = producerId === this.#pinned ? PINNED : ORDINARY;
      const told = this.#priorities.get(consumerId);
      if ((told === undefined ? ORDINARY : told) === priority) continue;
      this.#priorities.set(consumerId, null);
      await this.#request("consumer.setPriority", { consumerId, priority });
      this.#priorities.set(consumerId, priority);
    }
  }
}
