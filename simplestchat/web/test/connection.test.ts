import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Backoff } from "../src/lib/backoff";
import { Connection } from "../src/net/connection";
import { TestSocket } from "./socket";

function joined(extra: Record<string, unknown> = {}) {
  return {
    peerId: "me",
    resumeToken: "token-1",
    room: {},
    peers: [],
    chat: { epoch: "e", messages: [] },
    seq: 10,
    resumed: false,
    reset: true,
    missed: [],
    own: { transports: [], producers: [], consumers: [] },
    ...extra,
  };
}

const notice = (seq: number) => ({ jsonrpc: "2.0", method: "peer.left", params: { peerId: `p${seq}`, reason: "left" }, seq });

function setUp() {
  const sockets: TestSocket[] = [];
  const connection = new Connection({
    open: () => {
      const socket = new TestSocket();
      sockets.push(socket);
      return socket;
    },
    join: () => ({ room: "r", name: "Ada" }),
    backoff: new Backoff({ firstMs: 1_000, capMs: 8_000, random: () => 1 }),
  });
  const seen: string[] = [];
  connection.events.on("state", (state) => seen.push(state));
  connection.events.on("refused", ({ reason }) => seen.push(`refused ${reason}`));
  connection.events.on("notification", ({ seq }) => seen.push(`notice ${seq}`));
  const waits: (string | null)[] = [];
  connection.events.on("waiting", ({ refusal }) => waits.push(refusal && `${refusal.reason}: ${refusal.message}`));
  connection.start();
  const socket = (): TestSocket => sockets.at(-1) ?? expect.fail("no socket was opened");
  const settle = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => undefined);
  const join = async (extra?: Record<string, unknown>): Promise<void> => {
    socket().open();
    await settle();
    socket().answer("room.join", joined(extra));
    await settle();
  };
  return { connection, sockets, seen, waits, socket, settle, join };
}

describe("Connection", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("joins as soon as the socket is open", async () => {
    const { socket, join, seen } = setUp();
    await join();
    expect(socket().last("room.join").params).toEqual({ room: "r", name: "Ada" });
    expect(seen).toEqual(["joined"]);
  });

  it("comes back with its token and the last number that it saw", async () => {
    const { socket, sockets, join, seen } = setUp();
    await join();
    socket().receive(notice(11));
    socket().receive(notice(12));
    socket().drop();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sockets).toHaveLength(2);
    await join({ resumed: true, reset: false, seq: 14, missed: [notice(13), notice(14)] });
    expect(socket().last("room.join").params).toEqual({ room: "r", name: "Ada", resume: "token-1", lastSeq: 12 });
    expect(seen).toEqual(["joined", "notice 11", "notice 12", "reconnecting", "joined", "notice 13", "notice 14"]);
  });

  it("hands every numbered notification on once", async () => {
    const { socket, join, seen } = setUp();
    await join();
    for (const seq of [10, 11, 11, 9, 12]) socket().receive(notice(seq));
    expect(seen).toEqual(["joined", "notice 11", "notice 12"]);
  });

  it("waits longer after each failure and starts short again after a success", async () => {
    const { socket, sockets, join } = setUp();
    await join();
    for (const waitMs of [1_000, 2_000, 4_000, 8_000, 8_000]) {
      socket().drop();
      const before = sockets.length;
      await vi.advanceTimersByTimeAsync(waitMs - 1);
      expect(sockets).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(sockets).toHaveLength(before + 1);
    }
    await join({ resumed: true, reset: false });
    socket().drop();
    const before = sockets.length;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sockets).toHaveLength(before + 1);
  });

  it.each(["room_full", "room_locked", "not_found", "wrong_password"])("ends when it is refused with %s", async (reason) => {
    const { connection, socket, sockets, settle, seen } = setUp();
    socket().open();
    await settle();
    socket().refuse("room.join", reason);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seen).toEqual(["ended", `refused ${reason}`]);
    expect(connection.state).toBe("ended");
    expect(sockets).toHaveLength(1);
    expect(socket().closed).toBe(true);
  });

  it.each(["quota", "rate_limited", "draining", "internal", "media_unavailable"])("tells of %s and tries again", async (reason) => {
    const { socket, sockets, settle, waits } = setUp();
    socket().open();
    await settle();
    socket().refuse("room.join", reason);
    await settle();
    expect(waits).toEqual([`${reason}: no: ${reason}`]);
    expect(socket().closed).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sockets).toHaveLength(2);
    socket().drop();
    expect(waits.at(-1)).toBe(null);
  });

  it("notices a dead path by a ping without an answer", async () => {
    const { socket, sockets, join, seen } = setUp();
    await join();
    await vi.advanceTimersByTimeAsync(8_000);
    socket().answer("ping", {});
    await vi.advanceTimersByTimeAsync(8_000);
    expect(socket().sent.filter(({ method }) => method === "ping")).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(seen.at(-1)).toBe("reconnecting");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sockets).toHaveLength(2);
  });

  it("waits longer for a ping behind a request that holds the line", async () => {
    const { connection, socket, join, seen } = setUp();
    await join();
    await vi.advanceTimersByTimeAsync(7_000);
    connection.request("transport.create", { direction: "send" }).catch(() => undefined);
    await vi.advanceTimersByTimeAsync(12_500);
    expect(seen).toEqual(["joined"]);
    socket().answer("ping", {});
    await vi.advanceTimersByTimeAsync(7_900);
    expect(seen).toEqual(["joined"]);
  });

  it("notices a dead path behind a request too", async () => {
    const { connection, join, seen } = setUp();
    await join();
    connection.request("chat.history", {}).catch(() => undefined);
    await vi.advanceTimersByTimeAsync(8_000 + 12_000);
    expect(seen.at(-1)).toBe("reconnecting");
  });

  it("takes whatever comes for a sign of life", async () => {
    const { socket, join, seen } = setUp();
    await join();
    await vi.advanceTimersByTimeAsync(9_000);
    socket().receive(notice(11));
    await vi.advanceTimersByTimeAsync(8_900);
    expect(seen).toEqual(["joined", "notice 11"]);
    await vi.advanceTimersByTimeAsync(100);
    expect(seen.at(-1)).toBe("reconnecting");
  });

  it("gives up on a socket that does not open", async () => {
    const { sockets } = setUp();
    await vi.advanceTimersByTimeAsync(9_000);
    expect(sockets).toHaveLength(2);
    expect(sockets[0]?.closed).toBe(true);
  });

  it("does not wait when the network is back", async () => {
    const { connection, socket, sockets, join } = setUp();
    await join();
    socket().drop();
    connection.hurry();
    expect(sockets).toHaveLength(2);
  });

  it("does not wait either when the first try failed", () => {
    const { connection, socket, sockets } = setUp();
    socket().drop();
    expect(connection.state).toBe("connecting");
    connection.hurry();
    expect(sockets).toHaveLength(2);
  });

  it("says goodbye and stays away", async () => {
    const { connection, socket, sockets, join } = setUp();
    await join();
    const end = connection.end();
    expect(socket().last("room.leave").params).toEqual({});
    socket().answer("room.leave", {});
    await end;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(socket().closed).toBe(true);
    expect(sockets).toHaveLength(1);
    await expect(connection.request("ping", {})).rejects.toThrow("not connected");
  });
});
