import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Outgoing } from "../src/call/outgoing";
import type { Recipes } from "../src/call/recipes";
import type { Source } from "../src/net/wire";
import { MediaWorld } from "./media";

const recipes = { for: (source: Source) => ({ key: source, options: {} }), prefer: () => undefined } as unknown as Recipes;
const track = (kind: string): MediaStreamTrack => ({ kind }) as MediaStreamTrack;
const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("Outgoing", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const send = (world: MediaWorld) => {
    const refused: string[] = [];
    const outgoing = new Outgoing(world.context, recipes, { onState: () => undefined, onRefused: (source) => void refused.push(source) });
    return { outgoing, refused };
  };

  /** A page that sends its voice. */
  const speaking = async () => {
    const world = new MediaWorld();
    const { outgoing } = send(world);
    const voice = track("audio");
    outgoing.want("microphone", { track: voice, paused: false });
    await later(1);
    world.latest.become("connected");
    return { world, outgoing, voice };
  };

  /** The path is gone for good, and the page gives the transport up. */
  const giveUp = async (world: MediaWorld) => {
    world.asked.length = 0;
    world.latest.become("failed");
    await later(4_000);
  };

  it("gives a lost transport back before it makes another one", async () => {
    const { world, outgoing } = await speaking();
    await giveUp(world);
    expect(world.asked).toEqual(["transport.restartIce t0", "transport.close t0", "transport.create", "transport.connect t2", "producer.create t2"]);
    expect([...world.producers.keys()]).toEqual(Object.values(outgoing.producerIds()));
  });

  it("gives it back before the next one also when it is lost amid other requests", async () => {
    const { world, outgoing, voice } = await speaking();
    world.asked.length = 0;
    world.latest.become("failed");
    await later(3_800);
    world.delayMs = 500;
    outgoing.want("microphone", { track: voice, paused: true });
    outgoing.want("camera", { track: track("video"), paused: false });
    await later(20_000);
    expect(world.asked.indexOf("transport.close t0")).toBeGreaterThan(-1);
    expect(world.asked.indexOf("transport.close t0")).toBeLessThan(world.asked.indexOf("transport.create"));
    expect([...world.producers.keys()].sort()).toEqual(Object.values(outgoing.producerIds()).sort());
  });

  it("gives nothing back that the server has taken away", async () => {
    const { world, outgoing } = await speaking();
    world.transports.clear();
    world.producers.clear();
    outgoing.onServerState("t0", "failed");
    await later(1);
    expect(world.asked).not.toContain("transport.close t0");
    expect(world.producers.size).toBe(1);
  });

  it.each([
    ["not_found", 1],
    ["rate_limited", 2],
  ])("asks again to close a lost transport only where that can help: %s", async (word, times) => {
    const { world } = await speaking();
    world.refusals.set("transport.close", [word]);
    await giveUp(world);
    await later(5_000);
    expect(world.asked.filter((asked) => asked === "transport.close t0")).toHaveLength(times);
    expect(world.asked).toContain("transport.create");
  });

  it("closes the transports after a gap that it does not use", async () => {
    const { world, outgoing } = await speaking();
    world.transports.set("lost", { direction: "send", connected: true }).set("other", { direction: "recv", connected: true });
    outgoing.refresh(world.own());
    await later(1);
    expect([...world.transports.keys()]).toEqual(["t0", "other"]);
  });

  it("is connected when the answer that said so was lost", async () => {
    const world = new MediaWorld();
    world.losing.add("transport.connect");
    const { outgoing } = send(world);
    outgoing.want("microphone", { track: track("audio"), paused: false });
    await later(5_000);
    expect(world.asked.filter((asked) => asked === "transport.connect t0")).toHaveLength(2);
    expect(world.producers.size).toBe(1);
  });

  it("closes a producer after a gap whose answer was lost", async () => {
    const { world, outgoing } = await speaking();
    world.losing.add("producer.create");
    outgoing.want("screen", { track: track("video"), paused: false });
    await later(1);
    outgoing.refresh(world.own());
    await later(5_000);
    expect(world.producers.size).toBe(2);
    expect([...world.producers.keys()].sort()).toEqual(Object.values(outgoing.producerIds()).sort());
  });

  it("keeps a producer that the browser is still making", async () => {
    const { world, outgoing } = await speaking();
    world.work = () => new Promise((resolve) => setTimeout(resolve, 500));
    outgoing.want("screen", { track: track("video"), paused: false });
    await later(100);
    outgoing.refresh(world.own());
    await later(5_000);
    expect(world.asked.filter((asked) => asked.startsWith("producer.close"))).toEqual([]);
    expect(world.producers.size).toBe(2);
  });

  it("is heard again after a mute whose answer was lost", async () => {
    const { world, outgoing, voice } = await speaking();
    const paused = () => [...world.producers.values()].map((producer) => producer.paused);
    world.losing.add("producer.pause");
    outgoing.want("microphone", { track: voice, paused: true });
    await later(1);
    expect(paused()).toEqual([true]);
    outgoing.want("microphone", { track: voice, paused: false });
    await later(5_000);
    expect(paused()).toEqual([false]);
  });

  it("takes the server's word after a gap for what is paused", async () => {
    const { world, outgoing } = await speaking();
    for (const producer of world.producers.values()) producer.paused = true;
    outgoing.refresh(world.own());
    await later(1);
    expect([...world.producers.values()].map(({ paused }) => paused)).toEqual([false]);
  });

  it("stops sending for good also when it was asked too often", async () => {
    const { world, outgoing } = await speaking();
    world.refusals.set("producer.close", ["rate_limited"]);
    outgoing.want("microphone", null);
    await later(5_000);
    expect(world.producers.size).toBe(0);
  });
});
