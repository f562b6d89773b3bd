import { describe, expect, it } from "vitest";
import { bestGrid, gridRects, MAX_TILES_PER_PAGE, pageCapacity, type Rect, type Size, spotlightRects, stripCapacity } from "../src/lib/layout";

const GAP = 10;
const STAGES: Record<string, Size> = {
  desktop: { width: 1416, height: 770 },
  portrait: { width: 374, height: 720 },
  landscape: { width: 760, height: 330 },
  ultrawide: { width: 3400, height: 900 },
  tiny: { width: 200, height: 160 },
};

function expectInside(rect: Rect, stage: Size): void {
  expect(rect.x).toBeGreaterThanOrEqual(-0.01);
  expect(rect.y).toBeGreaterThanOrEqual(-0.01);
  expect(rect.x + rect.width).toBeLessThanOrEqual(stage.width + 0.01);
  expect(rect.y + rect.height).toBeLessThanOrEqual(stage.height + 0.01);
}

function expectApart(rects: readonly Rect[]): void {
  for (const [index, a] of rects.entries()) {
    for (const b of rects.slice(index + 1)) {
      const apart = a.x + a.width <= b.x + 0.01 || b.x + b.width <= a.x + 0.01 || a.y + a.height <= b.y + 0.01 || b.y + b.height <= a.y + 0.01;
      expect(apart).toBe(true);
    }
  }
}

describe.each(Object.entries(STAGES))("a %s stage", (_, stage) => {
  it("places any number of tiles inside, apart and equally large", () => {
    for (let count = 1; count <= MAX_TILES_PER_PAGE; count += 1) {
      const rects = gridRects(count, stage, GAP);
      expect(rects).toHaveLength(count);
      for (const rect of rects) {
        expectInside(rect, stage);
        expect(rect.width).toBeCloseTo(rects[0]?.width ?? 0);
        expect(rect.height).toBeCloseTo(rects[0]?.height ?? 0);
      }
      expectApart(rects);
    }
  });

  it("finds the largest tiles of all grids", () => {
    for (const count of [1, 2, 3, 5, 9, 17, 25]) {
      const best = bestGrid(count, stage, GAP);
      expect(best.columns * best.rows).toBeGreaterThanOrEqual(count);
      for (let columns = 1; columns <= count; columns += 1) {
        const rows = Math.ceil(count / columns);
        const width = (stage.width - GAP * (columns - 1)) / columns;
        const height = (stage.height - GAP * (rows - 1)) / rows;
        const fitting = Math.min(width, (height * 16) / 9) * Math.min(height, width / (stage.width < stage.height ? 0.75 : 4 / 3));
        expect(best.width * best.height).toBeGreaterThanOrEqual(Math.max(0, fitting) * 0.998);
      }
    }
  });

  it("keeps every tile's shape between the narrowest and the widest", () => {
    for (let count = 1; count <= MAX_TILES_PER_PAGE; count += 1) {
      const { width, height } = bestGrid(count, stage, GAP);
      expect(width / height).toBeLessThanOrEqual(16 / 9 + 0.01);
      expect(width / height).toBeGreaterThanOrEqual((stage.width < stage.height ? 0.75 : 4 / 3) - 0.01);
    }
  });

  it("has pages of at least one tile", () => {
    expect(pageCapacity(stage, GAP)).toBeGreaterThanOrEqual(1);
    expect(pageCapacity(stage, GAP)).toBeLessThanOrEqual(MAX_TILES_PER_PAGE);
  });

  it("gives the spotlight most of the place and keeps the strip apart", () => {
    for (let others = 0; others <= stripCapacity(stage, GAP); others += 1) {
      const { main, strip } = spotlightRects(others, stage, GAP);
      expect(strip).toHaveLength(others);
      for (const rect of [main, ...strip]) expectInside(rect, stage);
      expectApart([main, ...strip]);
      for (const rect of strip) expect(rect.width * rect.height).toBeLessThan(main.width * main.height);
    }
  });
});

describe("grids that people expect", () => {
  it.each([
    ["desktop", 2, 2, 1],
    ["desktop", 4, 2, 2],
    ["desktop", 9, 3, 3],
    ["portrait", 2, 1, 2],
    ["portrait", 6, 2, 3],
    ["landscape", 2, 2, 1],
    ["landscape", 3, 3, 1],
  ])("on %s: %d people in %d columns and %d rows", (stage, count, columns, rows) => {
    const grid = bestGrid(count, STAGES[stage] ?? { width: 0, height: 0 }, GAP);
    expect([grid.columns, grid.rows]).toEqual([columns, rows]);
  });

  it("centres the last row", () => {
    const rects = gridRects(5, STAGES["desktop"] ?? { width: 0, height: 0 }, GAP);
    const last = rects.slice(3);
    const left = last[0]?.x ?? 0;
    const right = 1416 - ((last[1]?.x ?? 0) + (last[1]?.width ?? 0));
    expect(left).toBeCloseTo(right);
  });

  it("places nothing on an empty stage", () => {
    expect(gridRects(0, { width: 100, height: 100 }, GAP)).toEqual([]);
    for (const rect of gridRects(3, { width: 0, height: 0 }, GAP)) expect(rect.width).toBe(0);
  });
});
