/** One run: the verdict first, then why, then everything that led to it. */

import { Chart } from "./chart";
import { percentileAxis, percentileLabel, percentileSplits, percentiles, plots } from "./curves";
import { Figures } from "./figures";
import { moment, plain, span, withUnit } from "./format";
import { Badge, Head, Section, Sign, Table } from "./kit";
import type { Objective, Report } from "./shapes";
import { Background, Browsers, Capacity, Faults, Rooms, WorstStreams } from "./tables";
import { DISTRIBUTIONS, VERDICTS } from "./words";

export function RunPage({ report }: { report: Report }) {
  return (
    <>
      <Head kind="load report" title={report.title || report.name}>
        <p class="hint">
          {moment(report.started)} · {span(report.duration_s)} · {report.summary.clients.toLocaleString("en")} users · seed{" "}
          {report.seed} · version {report.version}
          {report.commit && ` (${report.commit.slice(0, 10)})`}
        </p>
      </Head>
      <main>
        <Outcome report={report} />
        {report.objectives.length > 0 && (
          <Section title="Objectives">
            <Objectives objectives={report.objectives} />
          </Section>
        )}
        {report.capacity && <Capacity capacity={report.capacity} />}
        <Figures report={report} />
        <Curves report={report} />
        <Distributions report={report} />
        <Browsers report={report} />
        <Faults faults={report.faults} />
        <Rooms rooms={report.rooms} />
        <WorstStreams streams={report.worst_streams} />
        <Background report={report} />
      </main>
    </>
  );
}

function Outcome({ report }: { report: Report }) {
  const { title, text } = VERDICTS[report.verdict];
  return (
    <div class={`outcome outcome-${report.verdict}`} role="status">
      <span class="outcome-sign">
        <Sign name={report.verdict} size={30} />
      </span>
      <div>
        <p class="outcome-title">{title}</p>
        {report.reasons.length ? (
          <ul>
            {report.reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        ) : (
          <p>{text}</p>
        )}
      </div>
    </div>
  );
}

function Objectives({ objectives }: { objectives: readonly Objective[] }) {
  return (
    <Table label="Objectives">
      <thead>
        <tr>
          <th scope="col">objective</th>
          <th scope="col" class="number">
            measured
          </th>
          <th scope="col" class="number">
            limit
          </th>
          <th scope="col">verdict</th>
        </tr>
      </thead>
      <tbody>
        {[...objectives]
          .sort((a, b) => Number(a.ok) - Number(b.ok))
          .map((one) => (
            <tr key={one.name}>
              <th scope="row">{one.title}</th>
              <td class="number strong">{withUnit(one.value, one.unit)}</td>
              <td class="number">
                {one.comparison === "<=" ? "≤" : "≥"} {withUnit(one.limit, one.unit)}
              </td>
              <td>
                <Badge verdict={one.ok ? "pass" : "fail"} />
              </td>
            </tr>
          ))}
      </tbody>
    </Table>
  );
}

/** Said of long runs, whose curves have fewer values than seconds. */
function resolution(seconds: number): string {
  return seconds > 1 ? `A value is of ${plain(seconds)} s. ` : "";
}

function Curves({ report }: { report: Report }) {
  const found = plots(report.series);
  if (!found.length) return null;
  return (
    <Section title="The run, second by second" hint={`One clock for all: the seconds since the first user came. ${resolution(report.resolution_s)}Drag over a plot to look closer, double-click to come back.`}>
      <div class="charts">
        {found.map((plot) => (
          <Chart
            key={`${plot.title} ${plot.unit}`}
            plot={plot}
            x={report.seconds}
            xLabel="second"
            xValue={(second) => `${plain(second)} s`}
            marks={report.phases}
            sync="run"
          />
        ))}
      </div>
    </Section>
  );
}

function Distributions({ report }: { report: Report }) {
  const named = new Set(DISTRIBUTIONS.flatMap((group) => group.names));
  const rest = report.histograms.filter((one) => !named.has(one.name)).map((one) => one.name);
  const groups = [...DISTRIBUTIONS, { title: "Others", names: rest }]
    .map(({ title, names }) => ({
      title,
      histograms: report.histograms.filter((one) => names.includes(one.name) && one.buckets.length > 0),
    }))
    .filter((group) => group.histograms.length > 0);
  if (!groups.length) return null;
  return (
    <Section title="Distributions" hint="How long the slowest took: each step to the right is ten times as rare. From whole histograms, merged, over the whole run.">
      <div class="charts">
        {groups.map(({ title, histograms }) => {
          const axis = percentileAxis(histograms);
          return (
            <Chart
              key={title}
              plot={{
                title,
                unit: "ms",
                curves: histograms.map((one) => ({ title: one.title, values: percentiles(one, axis) })),
              }}
              x={axis}
              xLabel="of all"
              xValue={percentileLabel}
              xSplits={percentileSplits}
              fromZero={false}
            />
          );
        })}
      </div>
    </Section>
  );
}
