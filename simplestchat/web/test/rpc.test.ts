import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RpcChannel, RpcError, UnansweredError } from "../src/net/rpc";
import { TestSocket } from "./socket";

function open(timeoutMs = 1_000) {
  const socket = new TestSocket();
  const onNotification = vi.fn();
  const onClose = vi.fn();
  return { socket, onNotification, onClose, channel: new RpcChannel(socket, { timeoutMs, onNotification, onClose }) };
}

describe("RpcChannel", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("matches answers with requests, in whatever order they come", async () => {
    const { channel, socket } = open();
    const first = channel.request("ping", { n: 1 });
    const second = channel.request("ping", { n: 2 });
    const [a, b] = socket.sent;
    expect(a).toMatchObject({ jsonrpc: "2.0", method: "ping", params: { n: 1 } });
    socket.receive({ jsonrpc: "2.0", id: b?.id, result: "two" });
    socket.receive({ jsonrpc: "2.0", id: a?.id, result: "one" });
    expect(await first).toBe("one");
    expect(await second).toBe("two");
  });

  it("turns a refusal into an error with its stable word", async () => {
    const { channel, socket } = open();
    const request = channel.request("chat.send", { text: "x", clientId: "c" });
    socket.refuse("chat.send", "rate_limited");
    const error: unknown = await request.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({ reason: "rate_limited", code: 4000 });
  });

  it("gives up on what is not answered in time, and takes no late answer", async () => {
    const { channel, socket } = open(500);
    const request = channel.request("ping", {}).catch((reason: unknown) => reason);
    vi.advanceTimersByTime(500);
    expect(await request).toBeInstanceOf(UnansweredError);
    expect(() => socket.answer("ping", "late")).not.toThrow();
  });

  it("hands notifications on with their number", () => {
    const { socket, onNotification } = open();
    socket.receive({ jsonrpc: "2.0", method: "room.closed", params: { reason: "closed" }, seq: 7 });
    expect(onNotification).toHaveBeenCalledWith(expect.objectContaining({ method: "room.closed", seq: 7 }));
  });

  it("survives what is not the protocol", () => {
    const { socket, onNotification } = open();
    for (const rubbish of ["{", "[]", "3", '"x"', '{"id":99,"result":1}', "{}"]) socket.receive(rubbish);
    expect(onNotification).not.toHaveBeenCalled();
  });

  it("fails everything that waits when the socket closes, and tells it once", async () => {
    const { channel, socket, onClose } = open();
    const waiting = channel.request("ping", {}).catch((reason: unknown) => reason);
    socket.drop();
    channel.close();
    expect(await waiting).toBeInstanceOf(UnansweredError);
    expect(onClose).toHaveBeenCalledOnce();
    await expect(channel.request("ping", {})).rejects.toBeInstanceOf(UnansweredError);
  });
});
