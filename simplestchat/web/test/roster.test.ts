import { describe, expect, it } from "vitest";
import { planConsumers, MAX_CONSUMERS } from "../src/call/plan";
import { applyToRoster, ownerOf, producerOf, type Roster, rosterOf } from "../src/call/roster";
import type { PeerInfo } from "../src/net/wire";

function peer(peerId: string, sources: PeerInfo["producers"] = []): PeerInfo {
  return { peerId, name: `Name ${peerId}`, role: "member", producers: sources };
}

const microphone = (producerId: string, paused = false) => ({ producerId, kind: "audio", source: "microphone", paused }) as const;
const camera = (producerId: string, paused = false) => ({ producerId, kind: "video", source: "camera", paused }) as const;
const screen = (producerId: string) => ({ producerId, kind: "video", source: "screen", paused: false }) as const;

describe("roster", () => {
  const roster: Roster = rosterOf([peer("a", [microphone("a1"), camera("a2")]), peer("me"), peer("b")], "me");

  it("leaves oneself out of a snapshot and keeps the order", () => {
    expect([...roster.keys()]).toEqual(["a", "b"]);
  });

  it("follows who comes and goes", () => {
    const joined = applyToRoster(roster, "peer.joined", peer("c"));
    expect([...joined.keys()]).toEqual(["a", "b", "c"]);
    const left = applyToRoster(joined, "peer.left", { peerId: "a", reason: "left" });
    expect([...left.keys()]).toEqual(["b", "c"]);
    expect(roster.has("a")).toBe(true);
  });

  it("follows what is sent, paused and closed", () => {
    const opened = applyToRoster(roster, "producer.opened", { peerId: "b", ...camera("b1") });
    expect(producerOf(opened.get("b") ?? fail(), "camera")?.paused).toBe(false);
    const paused = applyToRoster(opened, "producer.paused", { peerId: "b", producerId: "b1" });
    expect(producerOf(paused.get("b") ?? fail(), "camera")?.paused).toBe(true);
    const resumed = applyToRoster(paused, "producer.resumed", { peerId: "b", producerId: "b1" });
    expect(producerOf(resumed.get("b") ?? fail(), "camera")?.paused).toBe(false);
    const closed = applyToRoster(resumed, "producer.closed", { peerId: "b", producerId: "b1", reason: "closed" });
    expect(ownerOf(closed, "b1")).toBeUndefined();
  });

  it("is the same object when nothing changed, so that nothing is drawn again", () => {
    expect(applyToRoster(roster, "producer.closed", { peerId: "z", producerId: "unknown", reason: "closed" })).toBe(roster);
    expect(applyToRoster(roster, "peer.left", { peerId: "z", reason: "left" })).toBe(roster);
    expect(applyToRoster(roster, "producer.opened", { peerId: "z", ...camera("z1") })).toBe(roster);
    expect(applyToRoster(roster, "producer.resumed", { peerId: "a", producerId: "a1" })).toBe(roster);
    expect(applyToRoster(roster, "speaker.active", { peerId: "a" })).toBe(roster);
  });

  it("takes the newest of two producers of one source", () => {
    const two = applyToRoster(roster, "producer.opened", { peerId: "a", ...camera("a9") });
    expect(producerOf(two.get("a") ?? fail(), "camera")?.id).toBe("a9");
  });
});

describe("planConsumers", () => {
  it("wants everything, with pictures out of sight paused and screens never", () => {
    const roster = rosterOf([peer("a", [microphone("a1"), camera("a2"), screen("a3")]), peer("b", [camera("b1")])], "me");
    const plan = planConsumers(roster, (id) => id === "b");
    expect([...plan].map(([id, { paused }]) => [id, paused]).sort()).toEqual([
      ["a1", false],
      ["a2", true],
      ["a3", false],
      ["b1", false],
    ]);
  });

  it("keeps to the limit and gives way to screens, voices and what is in sight", () => {
    const crowd = Array.from({ length: 300 }, (_, index) => peer(`p${index}`, [camera(`c${index}`), microphone(`m${index}`, index > 100)]));
    const roster = rosterOf([...crowd, peer("late", [screen("s"), microphone("sm")])], "me");
    const plan = planConsumers(roster, (id) => id === "p299");
    expect(plan.size).toBe(MAX_CONSUMERS);
    expect(plan.has("s")).toBe(true);
    expect(plan.has("sm")).toBe(true);
    expect(plan.has("c299")).toBe(true);
    for (let index = 0; index <= 100; index += 1) expect(plan.has(`m${index}`)).toBe(true);
  });
});

function fail(): never {
  throw new Error("there should be one");
}
