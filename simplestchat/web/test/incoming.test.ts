import type { Device } from "mediasoup-client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Incoming, WORN_AFTER } from "../src/call/incoming";
import type { Request } from "../src/call/link";
import type { Wanted } from "../src/call/plan";
import { RpcError } from "../src/net/rpc";

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

  const receive = (world: World) => {
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
});
