/**
 * The messages of a room as one ordered list: confirmed ones by the server's `seq`, then one's own that wait for an answer.
 *
 * A message is known by its sender's `clientId` until the server gave it an id, so however often it is sent, announced or
 * read again from history it stands in the list once. Pure data; sending is done elsewhere.
 */

import type { ChatMessage } from "../net/wire";

export type Delivery = "sent" | "pending" | "failed";

export interface ChatEntry {
  /** Stable for the life of the entry: the key of its element. */
  readonly key: string;
  readonly seq: number | null;
  readonly peerId: string;
  readonly name: string;
  readonly text: string;
  readonly timeMs: number;
  readonly clientId: string;
  readonly own: boolean;
  readonly delivery: Delivery;
}

/** Confirmed messages kept in the page; older ones are read again from history when scrolled to. */
const MAX_CONFIRMED = 2_000;

export class ChatLog {
  #epoch: string | null = null;
  #confirmed: ChatEntry[] = [];
  #waiting: ChatEntry[] = [];
  readonly #ownClientIds = new Set<string>();

  get entries(): readonly ChatEntry[] {
    return [...this.#confirmed, ...this.#waiting];
  }

  get firstSeq(): number | null {
    return this.#confirmed[0]?.seq ?? null;
  }

  get lastSeq(): number | null {
    return this.#confirmed.at(-1)?.seq ?? null;
  }

  get waiting(): readonly ChatEntry[] {
    return this.#waiting;
  }

  /**
   * Takes a snapshot and returns what is new in it. Another epoch means another history: what was confirmed before is not
   * in it any more, and nothing in it counts as news. */
  snapshot(epoch: string, messages: readonly ChatMessage[]): ChatEntry[] {
    const same = epoch === this.#epoch;
    if (!same) this.#confirmed = [];
    this.#epoch = epoch;
    const fresh = this.merge(messages);
    return same ? fresh : [];
  }

  /** Adds messages of the server, in any order, known or not. Returns those that are new. */
  merge(messages: readonly ChatMessage[]): ChatEntry[] {
    const known = new Set(this.#confirmed.map((entry) => entry.seq));
    const fresh = messages.filter((message) => !known.has(message.seq)).map((message) => this.#confirmedEntry(message));
    if (fresh.length === 0) return [];
    const arrived = new Set(fresh.filter((entry) => entry.own).map((entry) => entry.clientId));
    this.#waiting = this.#waiting.filter((entry) => !arrived.has(entry.clientId));
    this.#confirmed = [...this.#confirmed, ...fresh].sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0)).slice(-MAX_CONFIRMED);
    return fresh;
  }

  /** Adds one's own message before the server has it. */
  add(message: { clientId: string; peerId: string; name: string; text: string; timeMs: number }): void {
    this.#ownClientIds.add(message.clientId);
    this.#waiting = [...this.#waiting, { key: message.clientId, seq: null, own: true, delivery: "pending", ...message }];
  }

  /** The server has stored it. The announcement to all may come before or after this. */
  confirm(clientId: string, seq: number, timeMs: number, id: string): void {
    const entry = this.#waiting.find((candidate) => candidate.clientId === clientId);
    if (entry) this.merge([{ id, seq, peerId: entry.peerId, name: entry.name, text: entry.text, time: timeMs, clientId }]);
  }

  /** Marks a waiting message, for instance `failed`, or `pending` when it is tried again. */
  mark(clientId: string, delivery: "pending" | "failed"): void {
    this.#waiting = this.#waiting.map((entry) => (entry.clientId === clientId ? { ...entry, delivery } : entry));
  }

  discard(clientId: string): void {
    this.#waiting = this.#waiting.filter((entry) => entry.clientId !== clientId);
  }

  #confirmedEntry(message: ChatMessage): ChatEntry {
    const { seq, peerId, name, text, clientId } = message;
    const own = this.#ownClientIds.has(clientId);
    const key = own ? clientId : `seq-${seq}`;
    return { key, seq, peerId, name, text, timeMs: message.time, clientId, own, delivery: "sent" };
  }
}
