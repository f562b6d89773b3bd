/** Runs of one scenario over time, figure by figure. */

import { Chart } from "./chart";
import { Alerts } from "./compare";
import { moment, percent, withUnit } from "./format";
import { Badge, Head, Section, Table } from "./kit";
import type { Trend, Trends } from "./shapes";

export function TrendPage({ trends }: { trends: Trends }) {
  const alerts = trends.trends.flatMap((trend) => trend.alerts.map((alert) => `${trend.title}: ${alert}`));
  return (
    <>
      <Head kind="trend" title="Runs over time">
        <p class="hint">
          {trends.folder}: the last run against the median of those before it, tolerance {percent(trends.tolerance)}
        </p>
      </Head>
      <main>
        <Alerts alerts={alerts} none="No last run is worse than those before it." />
        {trends.trends.map((trend) => (
          <One key={`${trend.scenario} ${trend.clients}`} trend={trend} />
        ))}
        {trends.skipped.length > 0 && (
          <Section title="Not read">
            <ul class="plain">
              {trends.skipped.map((one) => (
                <li key={one}>{one}</li>
              ))}
            </ul>
          </Section>
        )}
      </main>
    </>
  );
}

function One({ trend }: { trend: Trend }) {
  const places = trend.runs.map((_, index) => index);
  const label = (index: number): string => {
    const run = trend.runs[index];
    return run ? run.commit.slice(0, 7) || run.started.slice(5, 10) : "";
  };
  return (
    <Section title={trend.clients ? `${trend.title}, ${trend.clients.toLocaleString("en")} users` : trend.title}>
      <div class="charts">
        {trend.figures.map((figure) => (
          <Chart
            key={figure.name}
            plot={{
              title: figure.outcome === "worse" ? `${figure.title}: worse` : figure.title,
              unit: figure.unit,
              curves: [
                { title: "runs", values: trend.runs.map((run) => run.values[figure.name] ?? null) },
                { title: "median before the last", values: places.map(() => figure.median), faint: true },
              ],
            }}
            x={places}
            xLabel="run"
            xValue={label}
            xSplits={(low, high) => thinned(places.filter((place) => place >= low && place <= high))}
            points
          />
        ))}
      </div>
      <Table label={`Runs of ${trend.title}`}>
        <thead>
          <tr>
            <th scope="col">run</th>
            <th scope="col">commit</th>
            <th scope="col">verdict</th>
            {trend.figures.map((figure) => (
              <th key={figure.name} scope="col" class="number">
                {figure.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[...trend.runs].reverse().map((run) => (
            <tr key={run.path}>
              <th scope="row">{moment(run.started)}</th>
              <td>{run.commit.slice(0, 10) || run.version}</td>
              <td>
                <Badge verdict={run.verdict} />
              </td>
              {trend.figures.map((figure) => (
                <td key={figure.name} class="number">
                  {withUnit(run.values[figure.name], figure.unit)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </Table>
    </Section>
  );
}

/** As many labels as have room. */
function thinned(places: readonly number[]): number[] {
  const every = Math.max(1, Math.ceil(places.length / 6));
  return places.filter((_, index) => index % every === 0);
}
