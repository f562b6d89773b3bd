import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Link } from "../src/call/link";
import { MediaWorld } from "./media";

describe("Link", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const open = async (world = new MediaWorld()) => {
    const lost: boolean[] = [];
    const link = await Link.open("recv", world.context, { onState: () => undefined, onLost: (held) => void lost.push(held) });
    return { world, link, lost, transport: world.latest };
  };

  it("takes a second connect for done that the server calls a conflict", async () => {
    const { world, transport } = await open();
    world.refusals.set("transport.connect", ["conflict"]);
    await expect(transport.consume({ id: "c" })).resolves.toMatchObject({ id: "c" });
  });

  it("is not connected when the server refuses otherwise", async () => {
    const { world, transport } = await open();
    world.refusals.set("transport.connect", ["internal"]);
    await expect(transport.consume({ id: "c" })).rejects.toThrow("no: internal");
  });

  it("says that the server still holds what was given up here", async () => {
    const { transport, lost } = await open();
    transport.become("failed");
    await vi.advanceTimersByTimeAsync(4_000);
    expect(lost).toEqual([true]);
  });

  it("is given up when the browser itself cannot restart", async () => {
    const { transport, lost } = await open();
    transport.restartIce = () => Promise.reject(new DOMException("no", "OperationError"));
    transport.become("failed");
    await vi.advanceTimersByTimeAsync(1);
    expect(lost).toEqual([true]);
  });

  it("asks again for a restart that was not answered", async () => {
    const { world, transport, lost } = await open();
    const restarts = () => world.asked.filter((asked) => asked.startsWith("transport.restartIce")).length;
    world.losing.add("transport.restartIce");
    transport.become("failed");
    await vi.advanceTimersByTimeAsync(1_999);
    expect([restarts(), lost]).toEqual([1, []]);
    await vi.advanceTimersByTimeAsync(1);
    expect([restarts(), lost]).toEqual([2, []]);
    transport.become("connected");
    await vi.advanceTimersByTimeAsync(60_000);
    expect([restarts(), lost]).toEqual([2, []]);
  });

  it("asks for nothing any more once it is closed", async () => {
    const { world, link, transport } = await open();
    world.delayMs = 10;
    world.losing.add("transport.restartIce");
    transport.become("failed");
    link.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.asked).toEqual(["transport.create", "transport.restartIce t0"]);
  });

  it("says that the server holds it no more when that comes from the server", async () => {
    const failed = await open();
    failed.link.onServerState("failed");
    expect(failed.lost).toEqual([false]);
    const gone = await open();
    gone.link.check({ transports: [], producers: [], consumers: [] });
    expect(gone.lost).toEqual([false]);
  });
});
