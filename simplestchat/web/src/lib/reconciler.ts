/**
 * Brings what is to what is wanted: runs `step` whenever something changed, one run at a time, and again after a jittered
 * wait when it failed. `step` must compare, not assume: it may run at any moment and more often than needed.
 */

import type { Backoff } from "./backoff";

export class Reconciler {
  readonly #step: () => Promise<void>;
  readonly #backoff: Backoff;
  #dirty = false;
  #running = false;
  #stopped = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(step: () => Promise<void>, backoff: Backoff) {
    this.#step = step;
    this.#backoff = backoff;
  }

  /** Something changed. */
  request(): void {
    this.#dirty = true;
    if (!this.#running) void this.#run();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#running = true;
    try {
      while (this.#dirty && !this.#stopped) {
        this.#dirty = false;
        await this.#step();
        this.#backoff.reset();
      }
    } catch {
      if (!this.#stopped) this.#timer = setTimeout(() => this.request(), this.#backoff.next());
    } finally {
      this.#running = false;
    }
  }
}
