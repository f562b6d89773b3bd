/** The chat of a call: sending with retries under the same `clientId`, history, and what is unread. */

import { batch, signal } from "@preact/signals";
import { randomId } from "../lib/random";
import { RpcError } from "../net/rpc";
import type { ChatMessage, JoinResult } from "../net/wire";
import { ChatLog, type ChatEntry, type Gap } from "./chatlog";
import type { Request } from "./link";
import { UnreadCounter } from "./unread";

/** The longest message that the server takes, in characters. */
export const MAX_TEXT = 4096;
const PAGE = 100;
/** The most that the server gives at once, and how often it is asked in a row. */
const FILL_PAGE = 200;
const FILL_PAGES = 5;

export class Messages {
  readonly entries = signal<readonly ChatEntry[]>([]);
  readonly unread = signal(0);
  /** Older messages can be asked for. */
  readonly more = signal(false);
  /** Older messages were written, but the server keeps them no more. */
  readonly truncated = signal(false);
  readonly loading = signal(false);
  /** What is missing between the messages that are here. */
  readonly gaps = signal<readonly Gap[]>([]);
  readonly filling = signal(false);

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
    this.#log.iAm(result.peerId);
    this.#counter.arrived(this.#log.snapshot(result.chat.epoch, result.chat.messages));
    this.#publish();
    void this.fillGaps();
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
      if (page.epoch !== this.#log.epoch) return;
      this.#log.merge(page.messages);
      if (!page.more) this.#log.forgottenBefore(page.messages[0]?.seq ?? before);
      this.#publish();
    } catch {
      // The button stays, so the person can try again.
    } finally {
      this.loading.value = false;
    }
  }

  /** Reads what is missing between the messages that are here, as far as a few pages reach; the rest stays marked. */
  async fillGaps(): Promise<void> {
    if (this.filling.value) return;
    this.filling.value = true;
    try {
      for (let pages = 0; pages < FILL_PAGES; pages += 1) {
        const gap = this.#log.gaps.find(({ kept }) => kept);
        if (gap === undefined || !(await this.#fill(gap))) break;
      }
    } catch {
      // The mark stays, so the person can try again; so does the next join.
    } finally {
      this.filling.value = false;
    }
  }

  look(looking: boolean): void {
    this.#counter.look(looking);
    this.unread.value = this.#counter.count;
  }

  /** Reads a page of what is missing. Returns whether that brought anything. */
  async #fill({ after, before }: Gap): Promise<boolean> {
    const page = await this.#request("chat.history", { after, limit: Math.min(FILL_PAGE, before - after - 1) });
    if (page.epoch !== this.#log.epoch) return false;
    if (page.truncated) this.#log.forgottenBefore(page.messages[0]?.seq ?? before);
    const fresh = this.#log.merge(page.messages);
    this.#counter.arrived(fresh);
    this.#publish();
    return fresh.length > 0 || page.truncated;
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
    batch(() => {
      this.entries.value = this.#log.entries;
      this.gaps.value = this.#log.gaps;
      this.more.value = this.#log.more;
      this.truncated.value = this.#log.truncated;
      this.unread.value = this.#counter.count;
    });
  }
}
