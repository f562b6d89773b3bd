import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Request } from "../src/call/link";
import { HIDDEN, Views } from "../src/call/views";
import { RpcError, UnansweredError } from "../src/net/rpc";
import type { ConsumerView } from "../src/net/wire";

/** A server that writes down what it is told. */
class World {
  readonly told: (readonly ConsumerView[])[] = [];
  readonly priorities: [string, number][] = [];
  asked = 0;
  failure: Error | null = null;

  readonly views = new Views((async (method: string, params: Record<string, unknown>) => {
    this.asked += 1;
    if (this.failure) throw this.failure;
    if (method === "consumer.setViews") this.told.push(params.views as ConsumerView[]);
    if (method === "consumer.setPriority") this.priorities.push([String(params.consumerId), Number(params.priority)]);
    return {};
  }) as unknown as Request);

  consumers(...ids: number[]): void {
    this.views.setConsumers(new Map(ids.map((id) => [`p${id}`, `c${id}`])));
  }
}

const tile = (width: number) => ({ width, height: width / 2 });
const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("Views", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("tells many tiles in one message, and each size once", async () => {
    const world = new World();
    world.consumers(1, 2);
    world.views.set("p1", tile(640));
    world.views.set("p2", tile(320));
    await later(1_000);
    expect(world.told).toEqual([[{ consumerId: "c1", width: 640, height: 320 }, { consumerId: "c2", width: 320, height: 160 }]]);
    world.views.set("p1", tile(640));
    await later(1_000);
    expect(world.told).toHaveLength(1);
  });

  it("collects the sizes of an animation, and ends with the last", async () => {
    const world = new World();
    world.consumers(1);
    world.views.set("p1", tile(100));
    await later(0);
    for (let width = 110; width <= 400; width += 10) {
      world.views.set("p1", tile(width));
      await later(16);
    }
    await later(500);
    expect(world.told.length).toBeLessThan(7);
    expect(world.told.at(-1)).toEqual([{ consumerId: "c1", width: 400, height: 200 }]);
  });

  it("tells at once who goes out of sight and who comes back", async () => {
    const world = new World();
    world.consumers(1);
    world.views.set("p1", tile(100));
    await later(500);
    world.views.set("p1", HIDDEN);
    await later(1);
    expect(world.told.at(-1)).toEqual([{ consumerId: "c1", width: 0, height: 0 }]);
    world.views.set("p1", tile(100));
    await later(1);
    expect(world.told.at(-1)).toEqual([{ consumerId: "c1", width: 100, height: 50 }]);
  });

  it("hides what has no tile any more, and forgets it with its consumer", async () => {
    const world = new World();
    world.consumers(1);
    world.views.set("p1", tile(100));
    await later(500);
    world.views.set("p1", null);
    await later(1);
    expect(world.told.at(-1)).toEqual([{ consumerId: "c1", width: 0, height: 0 }]);
    world.consumers();
    world.consumers(1);
    await later(500);
    expect(world.told).toHaveLength(2);
  });

  it("keeps what is hidden hidden when its consumer is made anew", async () => {
    const world = new World();
    world.views.set("p1", HIDDEN);
    world.consumers();
    world.consumers(1);
    await later(500);
    expect(world.told).toEqual([[{ consumerId: "c1", width: 0, height: 0 }]]);
  });

  it("tells a new consumer of the same picture again", async () => {
    const world = new World();
    world.views.set("p1", tile(100));
    await later(500);
    expect(world.told).toEqual([]);
    world.consumers(1);
    await later(500);
    world.views.setConsumers(new Map([["p1", "again"]]));
    await later(500);
    expect(world.told.map(([first]) => first?.consumerId)).toEqual(["c1", "again"]);
  });

  it("says what is pinned, and takes it back", async () => {
    const world = new World();
    world.consumers(1, 2);
    world.views.pin("p2");
    await later(500);
    world.views.pin(null);
    await later(500);
    expect(world.priorities).toEqual([["c2", 255], ["c2", 1]]);
  });

  it("leaves a server alone that knows nothing of views", async () => {
    const world = new World();
    world.failure = new RpcError(-32601, "unknown", "method_not_found");
    world.consumers(1);
    for (let width = 100; width < 600; width += 100) {
      world.views.set("p1", tile(width));
      await later(1_000);
    }
    expect(world.asked).toBe(1);
  });

  it("waits when it told too much, and tells everything anew after a gap", async () => {
    const world = new World();
    world.failure = new RpcError(4010, "slower", "rate_limited");
    world.consumers(1);
    world.views.set("p1", tile(100));
    await later(100);
    world.failure = null;
    await later(3_000);
    expect(world.told).toHaveLength(1);
    world.failure = new UnansweredError("not connected");
    world.views.set("p1", tile(200));
    await later(5_000);
    world.failure = null;
    world.views.forget();
    await later(100);
    expect(world.told.at(-1)).toEqual([{ consumerId: "c1", width: 200, height: 100 }]);
  });

  it("takes a pin back that the server has, also when the answer was lost or it was to ask later", async () => {
    for (const failure of [new UnansweredError("the connection closed"), new RpcError(4010, "slower", "rate_limited")]) {
      const world = new World();
      world.consumers(1);
      world.views.pin("p1");
      await later(500);
      world.failure = failure;
      world.views.pin(null);
      await later(500);
      world.failure = null;
      world.views.forget();
      await later(3_000);
      expect(world.priorities).toEqual([["c1", 255], ["c1", 1]]);
    }
  });

  it("takes a pin back that was told before a gap", async () => {
    const world = new World();
    world.consumers(1);
    world.views.pin("p1");
    await later(500);
    world.views.forget();
    world.views.pin(null);
    await later(500);
    expect(world.priorities).toEqual([["c1", 255], ["c1", 1]]);
  });
});
