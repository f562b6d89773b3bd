/**
 * Where the tiles of a call lie. Pure geometry: a stage's size and the number of tiles in, rectangles out.
 *
 * Tiles of a page are equally large and as large as they can be; the last row is centred. A tile may be anything between
 * two shapes (`minAspect` to `maxAspect`, width by height), because video is cropped to fill it.
 */

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rect extends Size {
  readonly x: number;
  readonly y: number;
}

export interface Grid extends Size {
  readonly columns: number;
  readonly rows: number;
}

/** No page shows more tiles than this. */
export const MAX_TILES_PER_PAGE = 25;
/** Tiles narrower than this say nothing; the rest goes to the next page. */
const MIN_TILE_WIDTH = { narrow: 104, wide: 168 } as const;
/** A stage that is smaller than this in either direction belongs to a phone. */
const PHONE = { width: 640, height: 420 } as const;
const WIDEST = 16 / 9;

function narrowest(stage: Size): number {
  return stage.width < stage.height ? 3 / 4 : 4 / 3;
}

function tileSize(stage: Size, columns: number, rows: number, gap: number): Size {
  const width = Math.max(0, (stage.width - gap * (columns - 1)) / columns);
  const height = Math.max(0, (stage.height - gap * (rows - 1)) / rows);
  if (width > height * WIDEST) return { width: height * WIDEST, height };
  if (width < height * narrowest(stage)) return { width, height: width / narrowest(stage) };
  return { width, height };
}

/** The grid whose tiles have the greatest area. */
export function bestGrid(count: number, stage: Size, gap: number): Grid {
  let best: Grid = { columns: 1, rows: Math.max(1, count), width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.ceil(count / columns);
    const size = tileSize(stage, columns, rows, gap);
    // Between equal areas the grid with fewer empty places wins.
    const fuller = columns * rows < best.columns * best.rows;
    const area = size.width * size.height;
    const bestArea = best.width * best.height;
    if (area > bestArea * 1.001 || (area > bestArea * 0.999 && fuller)) best = { columns, rows, ...size };
  }
  return best;
}

/** How many tiles a page of this stage holds before they become too small. */
export function pageCapacity(stage: Size, gap: number): number {
  const phone = stage.width < PHONE.width || stage.height < PHONE.height;
  const least = phone ? MIN_TILE_WIDTH.narrow : MIN_TILE_WIDTH.wide;
  let capacity = 1;
  for (let count = 2; count <= MAX_TILES_PER_PAGE; count += 1) {
    if (bestGrid(count, stage, gap).width >= least) capacity = count;
  }
  return capacity;
}

/** Equal tiles in centred rows. */
export function gridRects(count: number, stage: Size, gap: number): Rect[] {
  if (count === 0) return [];
  const { columns, rows, width, height } = bestGrid(count, stage, gap);
  const top = (stage.height - rows * height - (rows - 1) * gap) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = row === rows - 1 ? count - row * columns : columns;
    const left = (stage.width - inRow * width - (inRow - 1) * gap) / 2;
    return { x: left + (index % columns) * (width + gap), y: top + row * (height + gap), width, height };
  });
}

export interface Spotlight {
  readonly main: Rect;
  /** The strip of small tiles beside or below. */
  readonly strip: Rect[];
}

/** How much of the stage the strip takes, and between which limits. */
const STRIP = { beside: { share: 0.22, least: 96, most: 240 }, below: { share: 0.16, least: 84, most: 140 } } as const;

function stripThickness(stage: Size): number {
  const beside = stage.width >= stage.height;
  const { share, least, most } = beside ? STRIP.beside : STRIP.below;
  return Math.min(most, Math.max(least, (beside ? stage.width : stage.height) * share));
}

/** One large picture and a strip of the others: beside it on a wide stage, below it on a tall one. */
export function spotlightRects(others: number, stage: Size, gap: number): Spotlight {
  if (others === 0) return { main: { x: 0, y: 0, ...stage }, strip: [] };
  const beside = stage.width >= stage.height;
  const thickness = stripThickness(stage);
  const main = beside
    ? { x: 0, y: 0, width: stage.width - thickness - gap, height: stage.height }
    : { x: 0, y: 0, width: stage.width, height: stage.height - thickness - gap };
  const area = beside ? { width: thickness, height: stage.height } : { width: stage.width, height: thickness };
  const origin = beside ? { x: main.width + gap, y: 0 } : { x: 0, y: main.height + gap };
  const strip = stripRects(others, area, gap, beside).map((rect) => ({ ...rect, x: rect.x + origin.x, y: rect.y + origin.y }));
  return { main, strip };
}

function stripRects(count: number, area: Size, gap: number, vertical: boolean): Rect[] {
  const room = vertical ? area.height : area.width;
  const natural = vertical ? area.width / WIDEST : area.height * (4 / 3);
  const length = Math.min(natural, (room - gap * (count - 1)) / count);
  const start = (room - count * length - gap * (count - 1)) / 2;
  return Array.from({ length: count }, (_, index) => {
    const offset = start + index * (length + gap);
    return vertical
      ? { x: 0, y: offset, width: area.width, height: length }
      : { x: offset, y: 0, width: length, height: area.height };
  });
}

/** How many small tiles fit in the strip beside a spotlight. */
export function stripCapacity(stage: Size, gap: number): number {
  const beside = stage.width >= stage.height;
  const thickness = stripThickness(stage);
  const room = beside ? stage.height : stage.width;
  const least = beside ? thickness / 2 : thickness * 0.8;
  return Math.max(1, Math.floor((room + gap) / (least + gap)));
}
