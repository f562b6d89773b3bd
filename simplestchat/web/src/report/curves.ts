/** What plots are made of: curves on one clock, and distributions by percentile. */

import type { HistogramReport, Series } from "./shapes";

export interface Curve {
  title: string;
  values: readonly (number | null)[];
  /** Drawn behind the others, as what they are held against. */
  faint?: boolean;
}

export interface Plot {
  title: string;
  unit: string;
  curves: Curve[];
}

/** Curves by their group, in the order of first appearance; curves of different units never share a plot. */
export function plots(series: readonly Series[]): Plot[] {
  const found = new Map<string, Plot>();
  for (const one of series) {
    if (one.values.every((value) => value === null)) continue;
    const key = `${one.group}\n${one.unit}`;
    const plot = found.get(key) ?? { title: one.group, unit: one.unit, curves: [] };
    const same = plot.curves.find((curve) => equal(curve.values, one.values));
    // One on top of the other would hide it.
    if (same) same.title += `, ${one.title}`;
    else plot.curves.push({ title: one.title, values: one.values });
    found.set(key, plot);
  }
  return [...found.values()];
}

function equal(a: readonly (number | null)[], b: readonly (number | null)[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

export interface Extremes {
  least: number;
  median: number;
  most: number;
}

/** What a curve comes to, for readers who cannot see it; null without values. */
export function extremes(values: readonly (number | null)[]): Extremes | null {
  const sorted = values.filter((value): value is number => value !== null).sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) return null;
  return { least: sorted[0] ?? 0, median: middle, most: sorted[sorted.length - 1] ?? 0 };
}

/** Steps of the percentile axis for one factor of ten. */
const STEPS = 24;
const MOST_NINES = 6;

/** The places of the percentile axis, as minus the decimal logarithm of the share above: 0 is the least, 1 is 90 %. */
export function percentileAxis(histograms: readonly HistogramReport[]): number[] {
  const most = Math.max(1, ...histograms.map((one) => total(one)));
  const end = Math.min(MOST_NINES, Math.max(1, Math.log10(most)));
  return Array.from({ length: Math.ceil(end * STEPS) + 1 }, (_, index) => Math.min(end, index / STEPS));
}

/** A distribution along that axis, in ms; null where it has too few values to tell. */
export function percentiles(histogram: HistogramReport, axis: readonly number[]): (number | null)[] {
  const count = total(histogram);
  if (!count) return axis.map(() => null);
  const sorted = [...histogram.buckets].sort((a, b) => a[0] - b[0]);
  let bucket = 0;
  let seen = sorted[0]?.[1] ?? 0;
  return axis.map((place) => {
    const above = 10 ** -place;
    if (above < 0.999 / count) return null;
    const wanted = Math.max(1, Math.ceil((1 - above) * count - 1e-6));
    while (seen < wanted && bucket < sorted.length - 1) seen += sorted[++bucket]?.[1] ?? 0;
    return sorted[bucket]?.[0] ?? null;
  });
}

/** Places worth a label, as long as they have room. */
export function percentileSplits(low: number, high: number): number[] {
  const all = [...(high - low > 3.5 ? [] : [0]), Math.log10(2), 1, 2, 3, 4, 5, 6];
  return all.filter((place) => place >= low && place <= high);
}

/** "99.9 %" of a place of the axis. */
export function percentileLabel(place: number): string {
  const share = (1 - 10 ** -place) * 100;
  const nines = Math.max(0, Math.round(place) - 2);
  return `${Math.abs(place - Math.round(place)) < 1e-9 ? share.toFixed(nines) : Number(share.toPrecision(4))} %`;
}

function total(histogram: HistogramReport): number {
  return histogram.buckets.reduce((sum, [, count]) => sum + count, 0);
}
