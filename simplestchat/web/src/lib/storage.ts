/** What the browser remembers between visits. Works, forgetfully, where storage is refused. */

const PREFIX = "simplestchat.";
const fallback = new Map<string, string>();

function read(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return fallback.get(key) ?? null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + key, value);
  } catch {
    fallback.set(key, value);
  }
}

/** A value kept as JSON; `check` refuses what an older version or another hand left there. */
export class Remembered<T> {
  readonly #key: string;
  readonly #initial: T;
  readonly #check: (value: unknown) => value is T;

  constructor(key: string, initial: T, check: (value: unknown) => value is T) {
    this.#key = key;
    this.#initial = initial;
    this.#check = check;
  }

  get(): T {
    const text = read(this.#key);
    if (text === null) return this.#initial;
    try {
      const value: unknown = JSON.parse(text);
      return this.#check(value) ? value : this.#initial;
    } catch {
      return this.#initial;
    }
  }

  set(value: T): void {
    write(this.#key, JSON.stringify(value));
  }
}

export const isString = (value: unknown): value is string => typeof value === "string";
export const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
