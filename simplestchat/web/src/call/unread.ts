/** How many messages of others came while nobody looked. */
export class UnreadCounter {
  #count = 0;
  #looking = false;

  get count(): number {
    return this.#count;
  }

  /** The chat is in view, or is not any more. */
  look(looking: boolean): void {
    this.#looking = looking;
    if (looking) this.#count = 0;
  }

  /** New messages; one's own are never unread. */
  arrived(entries: readonly { readonly own: boolean }[]): void {
    if (!this.#looking) this.#count += entries.filter((entry) => !entry.own).length;
  }
}

/** What fits on the mark: "99+" above 99. */
export function badgeText(count: number): string {
  return count > 99 ? "99+" : String(count);
}
