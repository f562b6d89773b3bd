import type { Device } from "mediasoup-client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Incoming, WORN_AFTER } from "../src/call/incoming";
import type { Request } from "../src/call/link";
import type { Wanted } from "../src/call/plan";
import { RpcError } from "../src/net/rpc";
import { MediaWorld } from "./media";

/** A server whose transports carry so many consumers in their life, and the browser's side of them. */
class World {
  readonly opened: string[] = [];
  readonly closed: string[] = [];
  readonly #carried = new Map<string, number>();
  #consumers = 0;

  constructor(readonly life: number) {}

  readonly request = (async (method: string, params: Record<string, unknown>) => {
    const transportId = String(params.transportId);
    if (method === "transport.create") {
      this.opened.push(`t${this.opened.length}`);
      return { id: this.opened.at(-1) };
    }
    if (method === "transport.close") this.closed.push(transportId);
    if (method !== "consumer.create") return {};
    const carried = this.#carried.get(transportId) ?? 0;
    if (carried >= this.life) throw new RpcError(4011, "This transport can carry no more.", "quota");
    this.#carried.set(transportId, carried + 1);
    return { id: `c${this.#consumers++}` };
  }) as unknown as Request;

  readonly device = {
    recvRtpCapabilities: {},
    createRecvTransport: ({ id }: { id: string }) => ({
      id,
      closed: false,
      on: () => undefined,
      close() {
        this.closed = true;
      },
      consume: async (created: { id: string }) => ({ ...created, kind: "video", track: created.id, close: () => undefined }),
    }),
  } as unknown as Device;
}

const wanted = (...ids: number[]): Map<string, Wanted> =>
  new Map(
    ids.map((number) => {
      const producer = { id: `p${number}`, kind: "video", source: "camera", paused: false };
      return [producer.id, { peerId: "peer", producer, paused: false } as unknown as Wanted];
    }),
  );

describe("Incoming", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const receive = (world: Pick<World, "device" | "request">) => {
    let tracks: string[] = [];
    const observer = { onState: () => undefined, onConsumers: () => undefined, onHeld: () => undefined, onTracks: (now: ReadonlyMap<string, unknown>) => void (tracks = [...now.keys()]) };
    const incoming = new Incoming({ device: world.device, request: world.request, iceServers: [] }, observer);
    return { incoming, tracks: () => tracks };
  };

  it("moves everything to a new transport when the old one has carried as many consumers as it may", async () => {
    const world = new World(WORN_AFTER + 4);
    const { incoming, tracks } = receive(world);
    for (let first = 0; first < WORN_AFTER; first += 64) {
      incoming.want(wanted(...Array.from({ length: 64 }, (_, index) => first + index)));
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(world.opened).toEqual(["t0"]);
    const last = Array.from({ length: 20 }, (_, index) => WORN_AFTER + index);
    incoming.want(wanted(...last));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(world.opened).toEqual(["t0", "t1"]);
    expect(world.closed).toEqual(["t0"]);
    expect(tracks().sort()).toEqual(last.map((number) => `p${number}`).sort());
  });

  it("takes a young transport's refusal for an answer", async () => {
    const world = new World(3);
    const { incoming, tracks } = receive(world);
    incoming.want(wanted(0, 1, 2, 3, 4));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.opened).toEqual(["t0"]);
    expect(world.closed).toEqual([]);
    expect(tracks()).toEqual(["p0", "p1", "p2"]);
  });

  const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
  /** The same, and nobody looks at it. */
  const hidden = (...ids: number[]) => new Map([...wanted(...ids)].map(([id, one]) => [id, { ...one, paused: true }]));

  /** A page that receives so many pictures. */
  const watching = async (count: number) => {
    const world = new MediaWorld();
    const { incoming, tracks } = receive(world);
    incoming.want(wanted(...numbers(count)));
    await later(1);
    world.latest.become("connected");
    world.asked.length = 0;
    return { world, incoming, tracks, paused: () => [...world.consumers.values()].map((consumer) => consumer.paused) };
  };

  it("gives a lost transport back before it makes another one", async () => {
    const { world, tracks } = await watching(2);
    world.latest.become("failed");
    await later(4_000);
    const [restart, close, create] = world.asked;
    expect([restart, close, create]).toEqual(["transport.restartIce t0", "transport.close t0", "transport.create"]);
    expect(world.transports.size).toBe(1);
    expect(world.consumers.size).toBe(2);
    expect(tracks()).toEqual(["p0", "p1"]);
  });

  it("gives it back before the next one also when it is lost amid other requests", async () => {
    const { world, incoming, tracks } = await watching(1);
    world.latest.become("failed");
    await later(3_950);
    world.delayMs = 100;
    incoming.want(wanted(...numbers(20)));
    await later(20_000);
    expect(world.asked.indexOf("transport.close t0")).toBeGreaterThan(-1);
    expect(world.asked.indexOf("transport.close t0")).toBeLessThan(world.asked.indexOf("transport.create"));
    expect(tracks()).toHaveLength(20);
  });

  it("closes the transports after a gap that it does not use", async () => {
    const { world, incoming } = await watching(1);
    world.transports.set("lost", { direction: "recv", connected: true }).set("other", { direction: "send", connected: true });
    incoming.refresh(world.own());
    await later(1);
    expect([...world.transports.keys()]).toEqual(["t0", "other"]);
  });

  it("closes a consumer after a gap whose answer was lost", async () => {
    const { world, incoming, tracks } = await watching(1);
    world.losing.add("consumer.create");
    incoming.want(wanted(0, 1));
    await later(1);
    incoming.refresh(world.own());
    await later(5_000);
    expect(world.consumers.size).toBe(2);
    expect(tracks()).toEqual(["p0", "p1"]);
  });

  it("keeps a consumer that the browser is still making", async () => {
    const { world, incoming, tracks } = await watching(1);
    world.work = () => new Promise((resolve) => setTimeout(resolve, 500));
    incoming.want(wanted(0, 1));
    await later(100);
    incoming.refresh(world.own());
    await later(5_000);
    expect(world.asked.filter((asked) => asked.startsWith("consumer.close"))).toEqual([]);
    expect(tracks()).toEqual(["p0", "p1"]);
  });

  it("closes a consumer that the browser could not make", async () => {
    const { world, incoming, tracks } = await watching(1);
    world.work = vi.fn(async () => undefined).mockRejectedValueOnce(new Error("the browser cannot"));
    incoming.want(wanted(0, 1));
    await later(5_000);
    expect(world.consumers.size).toBe(2);
    expect(tracks()).toEqual(["p0", "p1"]);
  });

  it("takes the server's word after a gap for what is paused", async () => {
    const { world, incoming, paused } = await watching(3);
    for (const consumer of [...world.consumers.values()].slice(1)) consumer.paused = true;
    incoming.refresh(world.own());
    await later(1);
    expect(paused()).toEqual([false, false, false]);
  });

  it("shows what was paused a moment ago although that answer was lost", async () => {
    const { world, incoming, paused } = await watching(1);
    world.losing.add("consumer.pause");
    incoming.want(hidden(0));
    await later(1);
    incoming.want(wanted(0));
    await later(5_000);
    expect(paused()).toEqual([false]);
  });

  it("asks again when it was told to ask later", async () => {
    const { world, incoming, paused } = await watching(1);
    incoming.want(hidden(0));
    await later(1);
    world.refusals.set("consumer.resume", ["rate_limited", "internal"]);
    incoming.want(wanted(0));
    await later(5_000);
    expect(paused()).toEqual([false]);
    world.refusals.set("consumer.close", ["rate_limited"]);
    incoming.want(new Map());
    await later(5_000);
    expect(world.consumers.size).toBe(0);
  });

  it.each(["not_found", "not_in_room"])("leaves alone what is gone: %s", async (word) => {
    const { world, incoming } = await watching(1);
    world.refusals.set("consumer.pause", [word, word]);
    incoming.want(hidden(0));
    await later(5_000);
    expect(world.asked).toEqual(["consumer.pause c1"]);
  });

  it("turns a page side by side", async () => {
    const { world, incoming, paused } = await watching(50);
    world.delayMs = 100;
    incoming.want(hidden(...numbers(50)));
    await later(1_000);
    expect(paused()).toEqual(numbers(50).map(() => true));
    expect(world.most).toBeGreaterThan(1);
  });

  it("turns the rest of a page although one refuses, and that one later", async () => {
    const { world, incoming, paused } = await watching(20);
    world.refusals.set("consumer.pause", ["internal"]);
    incoming.want(hidden(...numbers(20)));
    await later(1);
    expect(paused().filter((one) => !one)).toHaveLength(1);
    await later(5_000);
    expect(paused()).not.toContain(false);
  });

  it("asks for one transport, not for one with each picture, while the server has none", async () => {
    const world = new MediaWorld();
    world.refusals.set("transport.create", ["internal"]);
    receive(world).incoming.want(wanted(...numbers(60)));
    await later(1);
    expect(world.asked).toEqual(["transport.create"]);
  });
});
