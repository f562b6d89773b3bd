import { describe, expect, it } from "vitest";
import { rosterOf } from "../src/call/roster";
import type { PeerInfo } from "../src/net/wire";
import { arrange, personTiles, screenTiles, visiblePeople } from "../src/views/call/tiles";

const STAGE = { width: 1400, height: 760 };
const OPTIONS = { stage: STAGE, gap: 12, page: 0, pinned: null, activeSpeaker: null, invites: true };
const NOTHING = { tracks: new Map(), receptions: new Map(), soundOnly: false };
const SELF = { peerId: "me", name: "Me", camera: null, screen: null, muted: true };

function crowd(count: number): PeerInfo[] {
  return Array.from({ length: count }, (_, index) => ({ peerId: `p${index}`, name: `P${index}`, role: "member", producers: [] }));
}

function people(count: number) {
  return personTiles(rosterOf(crowd(count), "me"), NOTHING, SELF);
}

const keys = (arrangement: ReturnType<typeof arrange>): string[] => arrangement.placed.map(({ tile }) => tile.key);

describe("tiles", () => {
  it("shows oneself last and says who is muted", () => {
    const tiles = people(2);
    expect(tiles.map(({ key }) => key)).toEqual(["p0", "p1", "self"]);
    expect(tiles.every(({ muted }) => muted)).toBe(true);
  });

  it("gives a shared screen a tile of its own", () => {
    const [first] = crowd(1);
    const sharing: PeerInfo = { ...(first as PeerInfo), producers: [{ producerId: "s", kind: "video", source: "screen", paused: false }] };
    expect(screenTiles(rosterOf([sharing], "me"), NOTHING, SELF).map(({ key }) => key)).toEqual(["p0:screen"]);
  });
});

describe("arrange", () => {
  it("leaves a place for the invitation when one is alone", () => {
    const alone = arrange(people(0), [], OPTIONS);
    expect(keys(alone)).toEqual(["self"]);
    expect(alone.invitation).not.toBeNull();
    expect(arrange(people(1), [], OPTIONS).invitation).toBeNull();
    const uninvited = arrange(people(0), [], { ...OPTIONS, invites: false });
    expect(uninvited.invitation).toBeNull();
    expect(uninvited.placed[0]?.rect.width).toBeGreaterThan(alone.placed[0]?.rect.width ?? Infinity);
  });

  it("turns pages past what a page holds, and every person is on one", () => {
    const tiles = people(60);
    const pages = arrange(tiles, [], OPTIONS).pages;
    const all = Array.from({ length: pages }, (_, page) => keys(arrange(tiles, [], { ...OPTIONS, page }))).flat();
    expect(pages).toBeGreaterThan(2);
    expect([...all].sort()).toEqual(tiles.map(({ key }) => key).sort());
  });

  it("stays on the last page when people leave", () => {
    const arrangement = arrange(people(3), [], { ...OPTIONS, page: 7 });
    expect(keys(arrangement)).toHaveLength(4);
  });

  it("brings whoever speaks to the first page", () => {
    const tiles = people(60);
    expect(keys(arrange(tiles, [], OPTIONS))).not.toContain("p55");
    expect(keys(arrange(tiles, [], { ...OPTIONS, activeSpeaker: "p55" }))).toContain("p55");
  });

  it("shows what is pinned large, with the others beside it and a place for the rest", () => {
    const arrangement = arrange(people(30), [], { ...OPTIONS, pinned: "p7" });
    expect(arrangement.placed[0]).toMatchObject({ large: true, tile: { key: "p7" } });
    expect(keys(arrangement).filter((key) => key === "p7")).toHaveLength(1);
    expect((arrangement.rest?.count ?? 0) + arrangement.placed.length).toBe(31);
  });

  it("goes back to the grid when the pinned one is gone", () => {
    expect(arrange(people(3), [], { ...OPTIONS, pinned: "gone" }).placed.some(({ large }) => large)).toBe(false);
  });

  it("counts somebody as visible by the tile of the person, not by that of a screen", () => {
    const [first, ...others] = crowd(30);
    const sharing: PeerInfo = { ...(first as PeerInfo), producers: [{ producerId: "s", kind: "video", source: "screen", paused: false }] };
    const roster = rosterOf([...others, sharing], "me");
    const screens = screenTiles(roster, NOTHING, SELF);
    const arrangement = arrange(personTiles(roster, NOTHING, SELF), screens, OPTIONS);
    expect(keys(arrangement)).toContain("p0:screen");
    expect(keys(arrangement)).not.toContain("p0");
    expect(visiblePeople(arrangement)).not.toContain("p0");
    expect(visiblePeople(arrangement)).toContain("p1");
  });
});
