/** What the stage shows: the people and screens of a call as an ordered list of tiles, and which of them are in view. */

import type { Peer, Roster } from "../../call/roster";
import { producerOf } from "../../call/roster";
import { gridRects, pageCapacity, type Rect, type Size, spotlightRects, stripCapacity } from "../../lib/layout";

export interface Tile {
  readonly key: string;
  readonly peerId: string;
  readonly name: string;
  readonly own: boolean;
  readonly kind: "person" | "screen";
  readonly track: MediaStreamTrack | null;
  readonly muted: boolean;
}

export interface OwnPicture {
  readonly peerId: string;
  readonly name: string;
  readonly camera: MediaStreamTrack | null;
  readonly screen: MediaStreamTrack | null;
  readonly muted: boolean;
}

type Tracks = ReadonlyMap<string, MediaStreamTrack>;

/** Somebody's camera or screen as it arrives; nothing while it is paused. */
function arriving(peer: Peer, source: "camera" | "screen", tracks: Tracks): MediaStreamTrack | null {
  const producer = producerOf(peer, source);
  return producer && !producer.paused ? (tracks.get(producer.id) ?? null) : null;
}

function person(peer: Peer, tracks: Tracks): Tile {
  const microphone = producerOf(peer, "microphone");
  return {
    key: peer.id,
    peerId: peer.id,
    name: peer.name,
    own: false,
    kind: "person",
    track: arriving(peer, "camera", tracks),
    muted: !microphone || microphone.paused,
  };
}

/** The others in the order they came, then oneself. */
export function personTiles(roster: Roster, tracks: Tracks, self: OwnPicture): Tile[] {
  const { peerId, name, camera, muted } = self;
  const own: Tile = { key: "self", peerId, name, own: true, kind: "person", track: camera, muted };
  return [...[...roster.values()].map((peer) => person(peer, tracks)), own];
}

/** Screens that are shared, one's own last. */
export function screenTiles(roster: Roster, tracks: Tracks, self: OwnPicture): Tile[] {
  const tiles: Tile[] = [];
  for (const peer of roster.values()) {
    const producer = producerOf(peer, "screen");
    if (!producer) continue;
    const track = tracks.get(producer.id) ?? null;
    tiles.push({ key: `${peer.id}:screen`, peerId: peer.id, name: peer.name, own: false, kind: "screen", track, muted: false });
  }
  const { peerId, name, screen } = self;
  if (screen) tiles.push({ key: "self:screen", peerId, name, own: true, kind: "screen", track: screen, muted: false });
  return tiles;
}

export interface Placed {
  readonly tile: Tile;
  readonly rect: Rect;
  readonly large: boolean;
}

export interface Arrangement {
  readonly placed: readonly Placed[];
  /** The place for the invitation when one is alone. */
  readonly invitation: Rect | null;
  readonly pages: number;
  /** Beside a large tile: the place that stands for those who did not fit, and how many they are. */
  readonly rest: { readonly rect: Rect; readonly count: number } | null;
}

export interface ArrangeOptions {
  readonly stage: Size;
  readonly gap: number;
  readonly page: number;
  /** The tile that the person wants to see large. */
  readonly pinned: string | null;
  readonly activeSpeaker: string | null;
  /** Whoever is alone is shown how to invite others. */
  readonly invites: boolean;
}

/** On the first page there is always a place for who speaks. */
function promoteSpeaker(tiles: readonly Tile[], capacity: number, speaker: string | null): readonly Tile[] {
  const at = tiles.findIndex((tile) => tile.peerId === speaker);
  if (at < capacity || capacity < 1) return tiles;
  const rest = tiles.filter((_, index) => index !== at);
  const promoted = tiles[at];
  return promoted ? [...rest.slice(0, capacity - 1), promoted, ...rest.slice(capacity - 1)] : tiles;
}

function arrangeSpotlight(main: Tile, all: readonly Tile[], options: ArrangeOptions): Arrangement {
  const others = all.filter((tile) => tile.key !== main.key);
  const capacity = stripCapacity(options.stage, options.gap);
  const overflows = others.length > capacity;
  const places = overflows ? capacity - 1 : others.length;
  const inStrip = promoteSpeaker(others, places, options.activeSpeaker).slice(0, places);
  const { main: mainRect, strip } = spotlightRects(overflows ? capacity : places, options.stage, options.gap);
  const restRect = overflows ? strip.at(-1) : undefined;
  const placed = inStrip.flatMap((tile, index) => {
    const rect = strip[index];
    return rect ? [{ tile, rect, large: false }] : [];
  });
  return {
    placed: [{ tile: main, rect: mainRect, large: true }, ...placed],
    invitation: null,
    pages: 1,
    rest: restRect ? { rect: restRect, count: others.length - places } : null,
  };
}

function arrangeGrid(tiles: readonly Tile[], options: ArrangeOptions): Arrangement {
  const { stage, gap } = options;
  const alone = options.invites && tiles.length === 1;
  const capacity = pageCapacity(stage, gap);
  const pages = Math.max(1, Math.ceil(tiles.length / capacity));
  const page = Math.min(options.page, pages - 1);
  const ordered = page === 0 ? promoteSpeaker(tiles, capacity, options.activeSpeaker) : tiles;
  const shown = ordered.slice(page * capacity, (page + 1) * capacity);
  const rects = gridRects(alone ? 2 : shown.length, stage, gap);
  const placed = shown.flatMap((tile, index) => {
    const rect = rects[index];
    return rect ? [{ tile, rect, large: false }] : [];
  });
  return { placed, invitation: alone ? (rects[1] ?? null) : null, pages, rest: null };
}

/** Where everything lies: a large tile with a strip when something is pinned or a screen is shared, else a grid. */
export function arrange(people: readonly Tile[], screens: readonly Tile[], options: ArrangeOptions): Arrangement {
  const all = [...screens, ...people];
  const main = all.find((tile) => tile.key === options.pinned) ?? screens[0];
  return main ? arrangeSpotlight(main, all, options) : arrangeGrid(people, options);
}
