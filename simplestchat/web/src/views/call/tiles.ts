/** What the stage shows: the people and screens of a call as an ordered list of tiles, and which of them are in view. */

import type { Held, Reception } from "../../call/reception";
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
  /** The picture's producer, when another one sends it. */
  readonly producerId: string | null;
  /** Why a picture that is sent is not shown. */
  readonly held: Held | "sound-only" | null;
}

export interface OwnPicture {
  readonly peerId: string;
  readonly name: string;
  readonly camera: MediaStreamTrack | null;
  readonly screen: MediaStreamTrack | null;
  readonly muted: boolean;
}

/** What arrives, and why something does not. */
export interface Arriving {
  readonly tracks: ReadonlyMap<string, MediaStreamTrack>;
  readonly receptions: ReadonlyMap<string, Reception>;
  readonly soundOnly: boolean;
}

type Picture = Pick<Tile, "track" | "producerId" | "held">;
const NO_PICTURE: Picture = { track: null, producerId: null, held: null };

/** Somebody's camera or screen as it arrives; nothing while it is paused. */
function picture(peer: Peer, source: "camera" | "screen", { tracks, receptions, soundOnly }: Arriving): Picture {
  const producer = producerOf(peer, source);
  if (!producer || producer.paused) return NO_PICTURE;
  const held = soundOnly ? "sound-only" : (receptions.get(producer.id)?.held ?? null);
  return { track: held ? null : (tracks.get(producer.id) ?? null), producerId: producer.id, held };
}

function person(peer: Peer, arriving: Arriving): Tile {
  const microphone = producerOf(peer, "microphone");
  return {
    key: peer.id,
    peerId: peer.id,
    name: peer.name,
    own: false,
    kind: "person",
    muted: !microphone || microphone.paused,
    ...picture(peer, "camera", arriving),
  };
}

/** The others in the order they came, then oneself. */
export function personTiles(roster: Roster, arriving: Arriving, self: OwnPicture): Tile[] {
  const { peerId, name, camera, muted } = self;
  const own: Tile = { key: "self", peerId, name, own: true, kind: "person", muted, ...NO_PICTURE, track: camera };
  return [...[...roster.values()].map((peer) => person(peer, arriving)), own];
}

/** Screens that are shared, one's own last. */
export function screenTiles(roster: Roster, arriving: Arriving, self: OwnPicture): Tile[] {
  const tiles: Tile[] = [];
  for (const peer of roster.values()) {
    if (!producerOf(peer, "screen")) continue;
    const { id, name } = peer;
    const shown = picture(peer, "screen", arriving);
    tiles.push({ key: `${id}:screen`, peerId: id, name, own: false, kind: "screen", muted: false, ...shown });
  }
  const { peerId, name, screen } = self;
  if (screen) tiles.push({ key: "self:screen", peerId, name, own: true, kind: "screen", muted: false, ...NO_PICTURE, track: screen });
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

/** The people whose cameras have a place on the page. The tile of a screen shows nothing of who shares it. */
export function visiblePeople({ placed }: Arrangement): Set<string> {
  return new Set(placed.filter(({ tile }) => tile.kind === "person").map(({ tile }) => tile.peerId));
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
