import { describe, expect, it } from "vitest";
import { planConsumers } from "../src/call/plan";
import { applyToReceptions, type Reception, receptionsByProducer, receptionsOf } from "../src/call/reception";
import { rosterOf } from "../src/call/roster";
import type { PeerInfo } from "../src/net/wire";
import { personTiles, screenTiles } from "../src/views/call/tiles";

type Notes = ReadonlyMap<string, Reception>;
const NONE: Notes = new Map();
const layers = (notes: Notes, spatialLayer: number | null, reason = "") =>
  applyToReceptions(notes, "consumer.layers", { consumerId: "c", spatialLayer, temporalLayer: spatialLayer, reason });

describe("applyToReceptions", () => {
  it("keeps the layers that are sent", () => {
    expect(layers(NONE, 2, "wanted").get("c")).toEqual({ spatialLayer: 2, temporalLayer: 2, reason: "wanted", held: null });
  });

  it("tells a thin network from a hidden tile", () => {
    for (const nothing of [null, -1]) {
      expect(layers(NONE, nothing, "limited-by-bandwidth").get("c")?.held).toBe("bandwidth");
      expect(layers(NONE, nothing, "hidden").get("c")?.held).toBeNull();
    }
    expect(layers(layers(NONE, null, "LIMITED_BY_BANDWIDTH"), 0, "wanted").get("c")?.held).toBeNull();
  });

  it("remembers who is left out until they are not", () => {
    const paused = applyToReceptions(NONE, "consumer.paused", { consumerId: "c", reason: "last-n" });
    expect(layers(paused, null, "paused").get("c")?.held).toBe("last-n");
    expect(applyToReceptions(paused, "consumer.resumed", { consumerId: "c", reason: "last-n" }).get("c")?.held).toBeNull();
  });

  it("takes up what the server says to a page that came back", () => {
    const own = { consumerId: "c", producerId: "p", transportId: "t", paused: false };
    const consumers = [{ ...own, held: true, spatialLayer: 1, temporalLayer: 0 }, { ...own, consumerId: "d", held: false }];
    const notes = receptionsOf({ transports: [], producers: [], consumers });
    expect(notes.get("c")).toMatchObject({ held: "last-n", spatialLayer: 1, temporalLayer: 0 });
    expect(notes.get("d")).toMatchObject({ held: null, spatialLayer: null });
  });

  it("forgets closed consumers, keeps a bounded number, and changes nothing for nothing", () => {
    const gone = { consumerId: "c", producerId: "p", reason: "closed" } as const;
    expect(applyToReceptions(layers(NONE, 1), "consumer.closed", gone).size).toBe(0);
    expect(applyToReceptions(NONE, "consumer.closed", gone)).toBe(NONE);
    let notes = NONE;
    for (let id = 0; id < 2_000; id += 1) notes = applyToReceptions(notes, "consumer.layers", { consumerId: `c${id}`, spatialLayer: 0 });
    expect(notes.size).toBe(512);
    expect(notes.has("c1999")).toBe(true);
  });
});

const BEN: PeerInfo = {
  peerId: "ben",
  name: "Ben",
  role: "member",
  producers: [
    { producerId: "camera", kind: "video", source: "camera", paused: false },
    { producerId: "screen", kind: "video", source: "screen", paused: false },
    { producerId: "voice", kind: "audio", source: "microphone", paused: false },
  ],
};
const SELF = { peerId: "me", name: "Me", camera: null, screen: null, muted: true };
const TRACKS = new Map([["camera", {} as MediaStreamTrack], ["screen", {} as MediaStreamTrack]]);

describe("what is shown", () => {
  const roster = rosterOf([BEN], "me");
  const first = (receptions: ReadonlyMap<string, Reception>, soundOnly = false) => {
    const arriving = { tracks: TRACKS, receptions, soundOnly };
    return [personTiles(roster, arriving, SELF)[0], screenTiles(roster, arriving, SELF)[0]];
  };

  it("shows the avatar of whoever is left out, and says so", () => {
    const paused = applyToReceptions(NONE, "consumer.paused", { consumerId: "c", reason: "last-n" });
    const [person, screen] = first(receptionsByProducer(paused, new Map([["camera", "c"]])));
    expect(person).toMatchObject({ track: null, held: "last-n", producerId: "camera" });
    expect(screen).toMatchObject({ held: null, producerId: "screen" });
    expect(screen?.track).not.toBeNull();
  });

  it("shows and asks for no picture in audio only, and every voice", () => {
    for (const tile of first(NONE, true)) expect(tile).toMatchObject({ track: null, held: "sound-only" });
    const plan = planConsumers(roster, () => true, true);
    expect([...plan].map(([id, { paused }]) => [id, paused]).sort()).toEqual([["camera", true], ["screen", true], ["voice", false]]);
  });
});
