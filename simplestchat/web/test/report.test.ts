import { describe, expect, it } from "vitest";
import { extremes, percentileAxis, percentileLabel, percentiles, plots } from "../src/report/curves";
import { change, measured, percent, plain, span, whole, withUnit } from "../src/report/format";

const series = (group: string, unit: string, title: string, values: (number | null)[]) => ({ name: title, title, unit, group, values });

describe("plots", () => {
  it("keep curves of one group and unit together, and leave out what was never measured", () => {
    const found = plots([series("a", "ms", "one", [1, 2]), series("b", "ms", "two", [1, 2]), series("a", "ms", "three", [3, null]), series("a", "s", "four", [1, 1]), series("a", "ms", "none", [null, null])]);
    expect(found.map((plot) => [plot.title, plot.unit, plot.curves.map((curve) => curve.title)])).toEqual([
      ["a", "ms", ["one", "three"]],
      ["b", "ms", ["two"]],
      ["a", "s", ["four"]],
    ]);
  });

  it("tell curves that lie on each other as one", () => {
    expect(plots([series("a", "", "one", [1, null]), series("a", "", "two", [1, null])])[0]?.curves).toEqual([{ title: "one, two", values: [1, null] }]);
  });
});

describe("a percentile plot", () => {
  const histogram = { name: "a", title: "a", buckets: [[1, 90], [2, 9], [50, 1]] as [number, number][] };

  it("reads the value under which each share lies", () => {
    const places = [0, Math.log10(2), 0.99, 1.01, 1.99, 2, 3];
    expect(percentiles(histogram, places)).toEqual([1, 1, 1, 2, 2, 2, null]);
    expect(percentiles({ ...histogram, buckets: [...histogram.buckets, [70, 900]] }, [2.9])).toEqual([70]);
  });

  it("goes as far as there are values to tell", () => {
    expect(percentileAxis([histogram]).at(-1)).toBe(2);
    expect(percentileAxis([])).toHaveLength(25);
    expect(percentiles({ ...histogram, buckets: [] }, [0, 1])).toEqual([null, null]);
  });

  it("labels places as shares", () => {
    expect([0, Math.log10(2), 1, 2, 3, 4].map(percentileLabel)).toEqual(["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
  });
});

describe("figures in words", () => {
  it.each([
    [12345, "12,345"],
    [123.4, "123"],
    [12.34, "12.3"],
    [1.5, "1.5"],
    [0.01234, "0.012"],
    [0, "0"],
    [1234567, "1.23 M"],
    [null, "–"],
  ])("plain %s is %s", (value, text) => {
    expect(plain(value)).toBe(text);
  });

  it.each([
    [1, "100 %"],
    [0.9999999, "99.999 %"],
    [0.999, "99.9 %"],
    [0, "0 %"],
    [0.0123, "1.23 %"],
  ])("the share %s is %s", (value, text) => {
    expect(percent(value)).toBe(text);
  });

  it("come with their units", () => {
    expect([withUnit(12.34, "ms"), withUnit(3, "count"), withUnit(0.5, "share"), withUnit(null, "ms")]).toEqual(["12.3 ms", "3", "50 %", "not measured"]);
    expect([measured(0, "MB"), measured(12.34, "MB"), measured(null, "MB"), whole(null), percent(null), plain(null)]).toEqual(["0 MB", "12.3 MB", "–", "–", "–", "–"]);
    expect([change(1.123), change(0.95), change(1), change(null)]).toEqual(["+12 %", "−5.0 %", "0.0 %", "–"]);
    expect([span(36), span(125), span(7260)]).toEqual(["36 s", "2 min 5 s", "2 h 1 min"]);
  });
});

describe("extremes", () => {
  it("pass over what is missing", () => {
    expect(extremes([3, null, 1, 2])).toEqual({ least: 1, median: 2, most: 3 });
    expect(extremes([null])).toBeNull();
  });
});
