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

/** Messages between two that are here: those after `after` and before `before`. */
export interface Gap {
  readonly after: number;
  readonly before: number;
  /** The server may still have them. */
  readonly kept: boolean;
}

/** Confirmed messages kept in the page; older ones are read again from history when scrolled to. */
const MAX_CONFIRMED = 2_000;

export class ChatLog {
  #epoch: string | null = null;
  #confirmed: ChatEntry[] = [];
  #waiting: ChatEntry[] = [];
  readonly #ownClientIds = new Set<string>();
  readonly #ownPeerIds = new Set<string>();
  /** The server keeps nothing that comes before this number. */
  #keptFrom = 1;

  get epoch(): string | null {
    return this.#epoch;
  }

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

  /** The server may have messages from before the first one here. */
  get more(): boolean {
    return (this.firstSeq ?? 1) > this.#keptFrom;
  }

  /** There were earlier messages, and the server does not keep them any more. */
  get truncated(): boolean {
    return !this.more && (this.firstSeq ?? 1) > 1;
  }

  /** What is missing, the oldest first. The server's numbers have no holes of their own. */
  get gaps(): readonly Gap[] {
    const gaps: Gap[] = [];
    let after: number | null = null;
    for (const { seq } of this.#confirmed) {
      if (seq === null) continue;
      if (after !== null && seq > after + 1) gaps.push({ after, before: seq, kept: seq > this.#keptFrom });
      after = seq;
    }
    return gaps;
  }

  /** One is, or was, this peer of the room. */
  iAm(peerId: string): void {
    this.#ownPeerIds.add(peerId);
  }

  /** The server keeps nothing that comes before a number. */
  forgottenBefore(seq: number): void {
    this.#keptFrom = Math.max(this.#keptFrom, seq);
  }

  /**
   * Takes a snapshot and returns what is new in it. Another epoch means another history: what was confirmed before is not
   * in it any more, and nothing in it counts as news. */
  snapshot(epoch: string, messages: readonly ChatMessage[]): ChatEntry[] {
    const same = epoch === this.#epoch;
    if (!same) {
      this.#confirmed = [];
      this.#keptFrom = 1;
    }
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
    this.iAm(message.peerId);
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
    // Everyone sees a message's `clientId` and could use it again.
    const own = this.#ownClientIds.has(clientId) && this.#ownPeerIds.has(peerId);
    const key = own ? clientId : `seq-${seq}`;
    return { key, seq, peerId, name, text, timeMs: message.time, clientId, own, delivery: "sent" };
  }
}
