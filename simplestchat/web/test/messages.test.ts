import { beforeEach, describe, expect, it, vi } from "vitest";
import { Messages } from "../src/call/messages";
import type { ChatMessage, JoinResult } from "../src/net/wire";
import type { ChatPage } from "../src/protocol";

interface Asked {
  readonly before?: number;
  readonly after?: number;
  readonly limit?: number;
}

const message = (seq: number): ChatMessage => ({
  id: `id-${seq}`,
  seq,
  peerId: "ada",
  name: "Ada",
  text: `text ${seq}`,
  time: seq,
  clientId: `client-${seq}`,
});

const range = (from: number, to: number): ChatMessage[] => Array.from({ length: to - from + 1 }, (_, index) => message(from + index));

/** A server that keeps the messages from one number to another. */
class Server {
  first = 1;
  last = 0;
  epoch = "e";
  broken = false;
  readonly asked: Asked[] = [];

  joined(): JoinResult {
    const messages = range(Math.max(this.first, this.last - 49), this.last);
    return { peerId: "me", chat: { epoch: this.epoch, messages } } as unknown as JoinResult;
  }

  readonly request = vi.fn(async (_method: string, params: Asked): Promise<ChatPage> => {
    this.asked.push(params);
    if (this.broken) throw new Error("no answer");
    const { before, after, limit = 200 } = params;
    const low = after === undefined ? this.first : Math.max(after + 1, this.first);
    const high = before === undefined ? this.last : before - 1;
    const from = after === undefined ? Math.max(low, high - limit + 1) : low;
    const to = after === undefined ? high : Math.min(high, low + limit - 1);
    const more = after === undefined ? from > low : to < high;
    const truncated = after === undefined ? !more && this.first > 1 : after + 1 < this.first;
    return { messages: range(from, to), epoch: this.epoch, more, truncated };
  });
}

describe("Messages", () => {
  let server: Server;
  let messages: Messages;
  const seqs = (): (number | null)[] => messages.entries.value.map(({ seq }) => seq);
  const numbers = (from: number, to: number): number[] => range(from, to).map(({ seq }) => seq);
  const join = async (): Promise<void> => {
    messages.onJoined(server.joined(), "Me");
    await vi.waitFor(() => expect(messages.filling.value).toBe(false));
  };

  beforeEach(async () => {
    server = new Server();
    server.last = 10;
    messages = new Messages(server.request as never, () => true);
    await join();
  });

  it("asks for nothing when nothing was missed", async () => {
    server.last = 60;
    await join();
    expect(server.asked).toEqual([]);
    expect(seqs()).toEqual(numbers(1, 60));
  });

  it("reads page after page until nothing is missing", async () => {
    server.last = 760;
    await join();
    expect(seqs()).toEqual(numbers(1, 760));
    expect(server.asked.map(({ after, limit }) => [after, limit])).toEqual([
      [10, 200],
      [210, 200],
      [410, 200],
      [610, 100],
    ]);
    expect(messages.gaps.value).toEqual([]);
    expect(messages.unread.value).toBe(750);
  });

  it("marks what a few pages do not reach, and goes on when it is told to", async () => {
    server.last = 1_200;
    await join();
    expect(server.asked).toHaveLength(5);
    expect(messages.gaps.value).toEqual([{ after: 1_010, before: 1_151, kept: true }]);
    await messages.fillGaps();
    expect(messages.gaps.value).toEqual([]);
    expect(seqs()).toEqual(numbers(1, 1_200));
  });

  it("marks what it could not read, until a later try reads it", async () => {
    server.last = 100;
    server.broken = true;
    await join();
    expect(messages.gaps.value).toEqual([{ after: 10, before: 51, kept: true }]);
    server.broken = false;
    server.last = 101;
    await join();
    expect(messages.gaps.value).toEqual([]);
    expect(seqs()).toEqual(numbers(1, 101));
  });

  it("says what is not kept any more, and does not ask for it again", async () => {
    server.first = 300;
    server.last = 400;
    await join();
    expect(messages.gaps.value).toEqual([{ after: 10, before: 300, kept: false }]);
    expect(server.asked).toHaveLength(1);
    await messages.fillGaps();
    expect(server.asked).toHaveLength(1);
    expect(seqs()).toEqual([...numbers(1, 10), ...numbers(300, 400)]);
  });

  it("does not ask for ever where the server has nothing to give", async () => {
    server.last = 100;
    server.request.mockResolvedValue({ messages: [], epoch: "e", more: false, truncated: false });
    await join();
    expect(messages.gaps.value).toHaveLength(1);
    expect(server.request).toHaveBeenCalledTimes(1);
  });

  it("takes nothing from another epoch", async () => {
    server.last = 100;
    server.request.mockResolvedValue({ messages: range(11, 50), epoch: "other", more: false, truncated: false });
    await join();
    expect(seqs()).toEqual([...numbers(1, 10), ...numbers(51, 100)]);
  });

  it("says when the beginning is not kept any more", async () => {
    server = new Server();
    server.first = 40;
    server.last = 100;
    messages = new Messages(server.request as never, () => true);
    await join();
    expect([messages.more.value, messages.truncated.value]).toEqual([true, false]);
    await messages.loadOlder();
    expect(seqs()).toEqual(numbers(40, 100));
    expect([messages.more.value, messages.truncated.value]).toEqual([false, true]);
  });
});
