/** The chat of a call: sending with retries under the same `clientId`, history, and what is unread. */

import { signal } from "@preact/signals";
import { randomId } from "../lib/random";
import { RpcError } from "../net/rpc";
import type { ChatMessage, JoinResult } from "../net/wire";
import { ChatLog, type ChatEntry } from "./chatlog";
import type { Request } from "./link";
import { UnreadCounter } from "./unread";

/** The longest message that the server takes, in characters. */
export const MAX_TEXT = 4096;
const PAGE = 100;
const HISTORY_LIMIT = 200;

export class Messages {
  readonly entries = signal<readonly ChatEntry[]>([]);
  readonly unread = signal(0);
  /** Older messages can be asked for. */
  readonly more = signal(false);
  readonly loading = signal(false);

  readonly #request: Request;
  readonly #isOnline: () => boolean;
  readonly #log = new ChatLog();
  readonly #counter = new UnreadCounter();
  #self = { peerId: "", name: "" };

  constructor(request: Request, isOnline: () => boolean) {
    this.#request = request;
    this.#isOnline = isOnline;
  }

  /** The room's snapshot, at the first join and after every gap. */
  onJoined(result: JoinResult, name: string): void {
    this.#self = { peerId: result.peerId, name };
    const before = this.#log.lastSeq;
    this.#counter.arrived(this.#log.snapshot(result.chat.epoch, result.chat.messages));
    this.more.value = (this.#log.firstSeq ?? 1) > 1;
    this.#publish();
    if (before !== null) void this.#catchUp(before, result);
    for (const entry of this.#log.waiting) if (entry.delivery === "pending") void this.#transmit(entry);
  }

  /** A message was announced. Returns whether it is new and somebody else's. */
  onMessage(message: ChatMessage): boolean {
    const fresh = this.#log.merge([message]);
    this.#counter.arrived(fresh);
    this.#publish();
    return fresh.some((entry) => !entry.own);
  }

  send(text: string): void {
    const clientId = randomId();
    this.#log.add({ ...this.#self, clientId, text, timeMs: Date.now() });
    this.#publish();
    void this.#transmit({ clientId, text });
  }

  retry(clientId: string): void {
    const entry = this.#log.waiting.find((candidate) => candidate.clientId === clientId);
    if (!entry) return;
    this.#log.mark(clientId, "pending");
    this.#publish();
    void this.#transmit(entry);
  }

  discard(clientId: string): void {
    this.#log.discard(clientId);
    this.#publish();
  }

  /** Reads a page of older messages. */
  async loadOlder(): Promise<void> {
    const before = this.#log.firstSeq;
    if (before === null || this.loading.value) return;
    this.loading.value = true;
    try {
      const page = await this.#request("chat.history", { before, limit: PAGE });
      this.#log.merge(page.messages);
      this.more.value = page.more;
      this.#publish();
    } catch {
      // The button stays, so the person can try again.
    } finally {
      this.loading.value = false;
    }
  }

  look(looking: boolean): void {
    this.#counter.look(looking);
    this.unread.value = this.#counter.count;
  }

  /** Closes the gap between what we had and what the snapshot brought. */
  async #catchUp(after: number, result: JoinResult): Promise<void> {
    const first = result.chat.messages[0]?.seq;
    if (first === undefined || first <= after + 1) return;
    try {
      const page = await this.#request("chat.history", { after, limit: HISTORY_LIMIT });
      if (page.epoch === result.chat.epoch) this.#counter.arrived(this.#log.merge(page.messages));
      this.#publish();
    } catch {
      // The next join closes it.
    }
  }

  async #transmit({ clientId, text }: { clientId: string; text: string }): Promise<void> {
    try {
      const { id, seq, time } = await this.#request("chat.send", { text, clientId });
      this.#log.confirm(clientId, seq, time, id);
    } catch (error) {
      // Unanswered for want of a connection: it stays pending and is sent again after the next join, under the same id.
      if (error instanceof RpcError || this.#isOnline()) this.#log.mark(clientId, "failed");
    }
    this.#publish();
  }

  #publish(): void {
    this.entries.value = this.#log.entries;
    this.unread.value = this.#counter.count;
  }
}
