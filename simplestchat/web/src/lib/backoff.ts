/** Waiting times between attempts: exponential, capped, and jittered so that a crowd does not return as one. */

export interface BackoffOptions {
  /** The longest first wait. */
  readonly firstMs: number;
  /** No wait is longer than this. */
  readonly capMs: number;
  /** Source of randomness in [0, 1). */
  readonly random?: () => number;
}

export class Backoff {
  #attempt = 0;
  readonly #options: BackoffOptions;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** How many waits were handed out since the last success. */
  get attempts(): number {
    return this.#attempt;
  }

  /** The next wait: between half of the exponential step and the whole of it. */
  next(): number {
    const { firstMs, capMs, random = Math.random } = this.#options;
    const step = Math.min(capMs, firstMs * 2 ** Math.min(this.#attempt, 30));
    this.#attempt += 1;
    return step / 2 + (step / 2) * random();
  }

  reset(): void {
    this.#attempt = 0;
  }
}
