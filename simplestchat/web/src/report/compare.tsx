/** Two sides beside each other: what got worse first. */

import { Chart } from "./chart";
import { change, moment, percent, withUnit } from "./format";
import { Badge, Facts, Head, Section, Sign, Table } from "./kit";
import type { Change, Comparison, Comparisons, Side } from "./shapes";

const OUTCOMES: Readonly<Record<Change["outcome"], string>> = {
  worse: "worse",
  better: "better",
  same: "the same",
  unclear: "chance explains it",
  unknown: "not to be told",
};

export function ComparePage({ comparisons: found }: { comparisons: Comparisons }) {
  const single = found.comparisons.length === 1;
  const alerts = found.comparisons.flatMap((one) => one.alerts.map((alert) => (single ? alert : `${one.title}: ${alert}`)));
  return (
    <>
      <Head kind="comparison" title={single ? (found.comparisons[0]?.title ?? "") : "Before and after"}>
        <p class="hint">
          {found.before} against {found.after}, tolerance {percent(found.tolerance)}
        </p>
      </Head>
      <main>
        <Alerts alerts={alerts} none={`Nothing got worse by more than ${percent(found.tolerance)}.`} />
        {found.unmatched.map((words) => (
          <Remark key={words} words={words} />
        ))}
        {found.comparisons.map((one) => (
          <One key={one.title} comparison={one} tolerance={found.tolerance} />
        ))}
      </main>
    </>
  );
}

function Remark({ words }: { words: string }) {
  return (
    <p class="remark">
      <Sign name="warning" size={16} /> {words}
    </p>
  );
}

function One({ comparison, tolerance }: { comparison: Comparison; tolerance: number }) {
  const { before, after } = comparison;
  return (
    <Section title={comparison.title} hint="The bar is the 99 % confidence interval of after by before; the grey band is the tolerance. A change too small to matter to anybody counts as none.">
      {comparison.remarks.map((remark) => (
        <Remark key={remark} words={remark} />
      ))}
      <Table label={`Figures of ${comparison.title}`}>
        <thead>
          <tr>
            <th scope="col">figure</th>
            <th scope="col" class="number">
              before
            </th>
            <th scope="col" class="number">
              after
            </th>
            <th scope="col" class="number">
              change
            </th>
            <th scope="col">interval</th>
            <th scope="col">verdict</th>
          </tr>
        </thead>
        <tbody>
          {comparison.changes.map((one) => (
            <tr key={one.name}>
              <th scope="row">{one.title}</th>
              <td class="number">{withUnit(one.before, one.unit)}</td>
              <td class="number strong">{withUnit(one.after, one.unit)}</td>
              <td class="number">{change(one.ratio)}</td>
              <td>
                <Interval change={one} tolerance={tolerance} />
              </td>
              <td>
                <span class={`change change-${one.outcome}`}>{OUTCOMES[one.outcome]}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
      {comparison.overlays.length > 0 && (
        <div class="charts">
          {comparison.overlays.map((one) => (
            <Chart
              key={one.name}
              plot={{
                title: one.title,
                unit: one.unit,
                curves: [
                  { title: "before", values: one.before, faint: true },
                  { title: "after", values: one.after },
                ],
              }}
              x={one.seconds}
              xLabel="second"
              xValue={(second) => `${second} s`}
              sync={comparison.title}
            />
          ))}
        </div>
      )}
      <div class="columns">
        <SideFacts title="Before" side={before} />
        <SideFacts title="After" side={after} />
      </div>
    </Section>
  );
}

export function Alerts({ alerts, none }: { alerts: readonly string[]; none: string }) {
  const verdict = alerts.length ? "fail" : "pass";
  return (
    <div class={`outcome outcome-${verdict}`} role="status">
      <span class="outcome-sign">
        <Sign name={verdict} size={30} />
      </span>
      <div>
        <p class="outcome-title">{alerts.length ? "Worse" : "No worse"}</p>
        {alerts.length ? (
          <ul>
            {alerts.map((alert) => (
              <li key={alert}>{alert}</li>
            ))}
          </ul>
        ) : (
          <p>{none}</p>
        )}
      </div>
    </div>
  );
}

function SideFacts({ title, side }: { title: string; side: Side }) {
  return (
    <div>
      <h3>{title}</h3>
      <Facts
        facts={[
          ["Report", side.label],
          ["Runs", side.runs],
          [
            "Verdicts",
            side.verdicts.map((verdict, index) => (
              <Badge key={index} verdict={verdict} />
            )),
          ],
          ["Begun", moment(side.started)],
          ["Version", `${side.version}${side.commit && ` (${side.commit.slice(0, 10)})`}`],
          ["Machine", side.cpu],
          ["Users", side.clients],
        ]}
      />
    </div>
  );
}

/** How far to each side the picture of an interval goes: half to double. */
const REACH = Math.LN2;

function place(ratio: number): number {
  const clamped = Math.min(REACH, Math.max(-REACH, Math.log(Math.max(ratio, 1e-9))));
  return 50 + (clamped / REACH) * 48;
}

function Interval({ change: one, tolerance }: { change: Change; tolerance: number }) {
  if (one.ratio === null || one.low === null || one.high === null) return <span class="unit">–</span>;
  const [low, high] = [place(one.low), place(one.high)];
  const band = [place(1 - tolerance), place(1 + tolerance)] as const;
  return (
    <svg class={`interval interval-${one.outcome}`} viewBox="0 0 100 16" width="130" height="21" role="img" aria-label={`${change(one.low)} to ${change(one.high)}`}>
      <rect class="interval-band" x={band[0]} y="0" width={band[1] - band[0]} height="16" />
      <line class="interval-axis" x1="50" x2="50" y1="0" y2="16" />
      <rect class="interval-bar" x={low} y="6" width={Math.max(1, high - low)} height="4" rx="2" />
      <circle class="interval-bar" cx={place(one.ratio)} cy="8" r="3.2" />
    </svg>
  );
}
