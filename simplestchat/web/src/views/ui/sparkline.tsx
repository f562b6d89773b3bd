interface SparklineProps {
  /** One value a step, the newest last; `null` where none is known. */
  values: readonly (number | null)[];
  /** The steps that its width stands for. */
  steps: number;
  label: string;
}

const WIDTH = 232;
const HEIGHT = 38;

/** How something went lately, as a line over a tinted ground. */
export function Sparkline({ values, steps, label }: SparklineProps) {
  const most = Math.max(1, ...values.map((value) => value ?? 0));
  const shown = values.slice(-steps);
  const x = (index: number): number => ((steps - shown.length + index) / (steps - 1)) * WIDTH;
  const y = (value: number): number => HEIGHT - 1.5 - (value / most) * (HEIGHT - 4);
  const points = shown.flatMap((value, index) => (value === null ? [] : [`${x(index).toFixed(1)},${y(value).toFixed(1)}`]));
  const first = points[0]?.split(",")[0] ?? "0";
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label} preserveAspectRatio="none">
      {points.length > 1 && (
        <>
          <path class="sparkline-ground" d={`M${first},${HEIGHT}L${points.join("L")}L${WIDTH},${HEIGHT}Z`} />
          <path class="sparkline-line" d={`M${points.join("L")}`} />
        </>
      )}
    </svg>
  );
}
