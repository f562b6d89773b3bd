/** A plot on a canvas, with the same told in a table for those who cannot see it. */

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { type Curve, extremes, type Plot } from "./curves";
import { plain, withUnit } from "./format";
import { colour, curveColour, curveDash, repaint } from "./theme";

const HEIGHT = 210;
const FONT = '12px ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif';
const LOGARITHMIC = 3;
/** A spread over more than this factor is easier to read on a logarithmic axis. */
const WIDE = 40;

export interface ChartProps {
  plot: Plot;
  x: readonly number[];
  xLabel: string;
  xValue: (place: number) => string;
  xSplits?: (low: number, high: number) => number[];
  marks?: readonly (readonly [string, number])[];
  /** Plots of one name move their cursors together. */
  sync?: string;
  points?: boolean;
  fromZero?: boolean;
}

export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const { plot } = props;
  useEffect(() => {
    const target = place.current;
    if (!target) return;
    let chart: uPlot | null = null;
    const stop = repaint.subscribe(() => {
      chart?.destroy();
      chart = new uPlot(options(props, target.clientWidth), data(props), target);
    });
    const watcher = new ResizeObserver(() => chart?.setSize({ width: target.clientWidth, height: HEIGHT }));
    watcher.observe(target);
    return () => {
      stop();
      watcher.disconnect();
      chart?.destroy();
    };
  }, [props]);
  return (
    <figure class="chart">
      <figcaption>
        {plot.title}
        {plot.unit && plot.unit !== "share" && <span class="unit"> {plot.unit}</span>}
      </figcaption>
      <div ref={place} class="canvas" aria-hidden="true" />
      <Told plot={plot} />
    </figure>
  );
}

/** The curves in words. */
function Told({ plot }: { plot: Plot }) {
  return (
    <div class="visually-hidden">
    <table>
      <caption>{plot.title}</caption>
      <thead>
        <tr>
          <th>curve</th>
          <th>least</th>
          <th>median</th>
          <th>most</th>
        </tr>
      </thead>
      <tbody>
        {plot.curves.map((curve) => {
          const told = extremes(curve.values);
          return (
            <tr key={curve.title}>
              <th scope="row">{curve.title}</th>
              <td>{withUnit(told?.least, plot.unit)}</td>
              <td>{withUnit(told?.median, plot.unit)}</td>
              <td>{withUnit(told?.most, plot.unit)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
    </div>
  );
}

function data({ x, plot }: ChartProps): uPlot.AlignedData {
  return [[...x], ...plot.curves.map((curve) => [...curve.values])] as uPlot.AlignedData;
}

function options(props: ChartProps, width: number): uPlot.Options {
  const { plot } = props;
  const ink = colour("ink-soft");
  const axis: uPlot.Axis = {
    stroke: ink,
    font: FONT,
    grid: { stroke: colour("line"), width: 1 },
    ticks: { stroke: colour("line"), width: 1, size: 4 },
  };
  const logarithmic = isWide(plot.curves, props.fromZero ?? true);
  const shown = (value: number): string => (plot.unit === "share" ? `${plain(value * 100)} %` : plain(value));
  return {
    width,
    height: HEIGHT,
    padding: [14, props.points ? 34 : 22, 0, 0],
    cursor: { drag: { x: true, y: false }, ...(props.sync ? { sync: { key: props.sync } } : {}) },
    legend: { live: true, markers: { width: 0, fill: (chart, index) => String(lineColour(chart, index)) } },
    scales: {
      x: { time: false },
      y: logarithmic ? { distr: LOGARITHMIC, log: 10 } : { range: (_, low, high) => bounds(low, high, props) },
    },
    axes: [
      {
        ...axis,
        size: 30,
        values: (_, splits) => splits.map((split) => props.xValue(split)),
        ...(props.xSplits ? { splits: (_u, _i, low, high) => props.xSplits?.(low, high) ?? [] } : {}),
      },
      {
        ...axis,
        size: 58,
        values: (_, splits) => splits.map((split) => (split === null ? null : shown(split))),
      },
    ],
    series: [
      { label: props.xLabel, value: (_, value) => (value === null ? "" : props.xValue(value)) },
      ...plot.curves.map((curve, index) => line(curve, index, props)),
    ],
    hooks: { drawClear: [(chart) => drawMarks(chart, props.marks ?? [])] },
  };
}

/** Values without a neighbour: no line would show them. */
function lonely({ values }: Curve): number[] {
  const known = (index: number): boolean => values[index] !== null && values[index] !== undefined;
  return values.flatMap((_value, index) => (known(index) && !known(index - 1) && !known(index + 1) ? [index] : []));
}

function line(curve: Curve, index: number, { plot, points }: ChartProps): uPlot.Series {
  const stroke = curve.faint ? colour("ink-faint") : curveColour(index);
  return {
    label: curve.title,
    stroke,
    width: curve.faint ? 1.25 : 1.75,
    dash: curve.faint ? [4, 3] : curveDash(index),
    points: points && !curve.faint ? { show: true, size: 7, fill: stroke } : { show: true, size: 4, fill: stroke, filter: () => lonely(curve) },
    value: (_, value) => (value === null || value === undefined ? "–" : withUnit(value, plot.unit)),
  };
}

function lineColour(chart: uPlot, index: number): unknown {
  const stroke = chart.series[index]?.stroke;
  return typeof stroke === "function" ? (stroke as (chart: uPlot, index: number) => unknown)(chart, index) : stroke;
}

/** From zero to a little over the most; a flat line at zero gets an axis, too. */
function bounds(low: number, high: number, { plot, fromZero }: ChartProps): [number, number] {
  const top = Number.isFinite(high) ? high : 1;
  const bottom = Number.isFinite(low) ? low : 0;
  const least = plot.unit === "share" ? 0.01 : 1;
  if ((fromZero ?? true) && bottom >= 0) return [0, top > 0 ? top * 1.08 : least];
  const margin = (top - bottom || Math.abs(top) || 1) * 0.1;
  return [bottom - margin, top + margin];
}

/** A logarithmic axis needs values above 0 all along. */
function isWide(curves: readonly Curve[], fromZero: boolean): boolean {
  if (fromZero) return false;
  const told = curves.map((curve) => extremes(curve.values)).filter((one) => one !== null);
  const least = Math.min(...told.map((one) => one.least));
  const most = Math.max(...told.map((one) => one.most));
  return least > 0 && most / least > WIDE;
}

/** Where a phase begins: a line with its name. */
function drawMarks(chart: uPlot, marks: readonly (readonly [string, number])[]): void {
  const { ctx, bbox } = chart;
  const ratio = devicePixelRatio || 1;
  ctx.save();
  ctx.font = FONT.replace("12px", `${11 * ratio}px`);
  ctx.fillStyle = colour("ink-faint");
  ctx.strokeStyle = colour("line-strong");
  ctx.lineWidth = ratio;
  ctx.setLineDash([3 * ratio, 3 * ratio]);
  let free = -Infinity;
  for (const [name, at] of marks) {
    const left = Math.round(chart.valToPos(at, "x", true));
    if (left < bbox.left - 1 || left > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(left, bbox.top);
    ctx.lineTo(left, bbox.top + bbox.height);
    ctx.stroke();
    const width = ctx.measureText(name).width + 3 * ratio;
    const begin = Math.min(left + 3 * ratio, bbox.left + bbox.width + 18 * ratio - width);
    if (begin < free) continue;
    ctx.fillText(name, begin, bbox.top - 4 * ratio);
    free = begin + width + 6 * ratio;
  }
  ctx.restore();
}
