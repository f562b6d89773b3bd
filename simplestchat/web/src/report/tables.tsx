/** Rooms, streams, browsers, the search for the limit, and what the run was made of. */

import type { ComponentChildren } from "preact";
import { percent, plain, spaced, whole } from "./format";
import { Badge, Facts, Section, Table } from "./kit";
import { machineTitle } from "./words";
import type { BrowserReport, CapacityReport, Report, RoomReport } from "./shapes";

/** So many rows are seen at once; the rest unfolds. */
const FIRST_ROWS = 12;

interface Column<T> {
  title: string;
  cell: (row: T) => ComponentChildren;
  text?: boolean;
}

function Rows<T>({ label, columns, rows }: { label: string; columns: readonly Column<T>[]; rows: readonly T[] }) {
  const table = (part: readonly T[]) => (
    <Table label={label}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.title} scope="col" class={column.text ? "" : "number"}>
              {column.title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {part.map((row, index) => (
          <tr key={index}>
            {columns.map((column) => (
              <td key={column.title} class={column.text ? "" : "number"}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </Table>
  );
  return (
    <>
      {table(rows.slice(0, FIRST_ROWS))}
      {rows.length > FIRST_ROWS && (
        <details>
          <summary>{rows.length - FIRST_ROWS} more</summary>
          {table(rows.slice(FIRST_ROWS))}
        </details>
      )}
    </>
  );
}

export function Capacity({ capacity }: { capacity: CapacityReport }) {
  const bad = capacity.lowest_bad === null ? "and more was not tried" : `${whole(capacity.lowest_bad)} is too many`;
  return (
    <Section title="How much it carries">
      <p class="lead">
        <strong>
          {spaced(capacity.dimension)}: {whole(capacity.highest_good)}
        </strong>{" "}
        is carried, {bad}. {capacity.bottleneck !== "none" && <>The limit is the {capacity.bottleneck}: </>}
        {capacity.why}
      </p>
      <Rows
        label="Steps of the search"
        rows={capacity.steps}
        columns={[
          { title: spaced(capacity.dimension), cell: (step) => whole(step.value) },
          { title: "verdict", text: true, cell: (step) => <Badge verdict={step.verdict} /> },
          { title: "server cores", cell: (step) => plain(step.server_cpu_cores) },
          { title: "busiest worker", cell: (step) => percent(step.worker_cpu_max) },
          { title: "lost", cell: (step) => percent(step.packet_loss) },
          { title: "generator late, p99 ms", cell: (step) => plain(step.generator_lag_p99_ms) },
          { title: "missed", text: true, cell: (step) => step.broke.map(spaced).join(", ") },
        ]}
      />
    </Section>
  );
}

export function Rooms({ rooms }: { rooms: readonly RoomReport[] }) {
  if (!rooms.length) return null;
  const worst = [...rooms].sort((a, b) => b.packet_loss - a.packet_loss || a.room - b.room);
  return (
    <Section title="Rooms" hint={rooms.length > 1 ? "The ones that lost most first." : ""}>
      <Rows
        label="Rooms"
        rows={worst}
        columns={[
          { title: "room", cell: (room) => room.room },
          { title: "users", cell: (room) => whole(room.users) },
          { title: "received, kB/s", cell: (room) => plain(room.received_kbytes_per_s) },
          { title: "sent, kB/s", cell: (room) => plain(room.sent_kbytes_per_s) },
          { title: "lost", cell: (room) => percent(room.packet_loss) },
          ...(rooms.some((room) => room.server_out_kbytes_per_s !== null) ? SERVER_SIDE : []),
        ]}
      />
    </Section>
  );
}

const told = (value: number | null) => (value === null ? "" : plain(value));

/** What the server counts of the rooms that it was asked about, in all and by participant. */
const SERVER_SIDE: Column<RoomReport>[] = [
  { title: "server: in, kB/s", cell: (room) => told(room.server_in_kbytes_per_s) },
  { title: "out, kB/s", cell: (room) => told(room.server_out_kbytes_per_s) },
  { title: "in of each", cell: (room) => told(room.server_in_per_participant) },
  { title: "out to each", cell: (room) => told(room.server_out_per_participant) },
];

export function WorstStreams({ streams }: { streams: readonly Record<string, unknown>[] }) {
  const names = [...new Set(streams.flatMap((stream) => Object.keys(stream)))];
  if (!streams.length) return null;
  const cell = (value: unknown): ComponentChildren =>
    typeof value === "number" ? (Number.isInteger(value) ? whole(value) : plain(value)) : value === null || value === undefined ? "" : String(value);
  return (
    <Section title="Worst streams" hint="Who got what of whom, where it went worst.">
      <Rows
        label="Worst streams"
        rows={streams}
        columns={names.map((name): Column<Record<string, unknown>> => ({
          title: spaced(name),
          text: streams.some((stream) => typeof stream[name] === "string"),
          cell: (stream) => (name === "loss" ? percent(Number(stream[name])) : cell(stream[name])),
        }))}
      />
    </Section>
  );
}

export function Faults({ faults }: { faults: Record<string, number> }) {
  const found = Object.entries(faults).sort((a, b) => b[1] - a[1]);
  if (!found.length) return null;
  return (
    <Section title="What went wrong">
      <Rows
        label="Faults"
        rows={found}
        columns={[
          { title: "times", cell: ([, times]) => whole(times) },
          { title: "what", text: true, cell: ([words]) => words },
        ]}
      />
    </Section>
  );
}

export function Browsers({ report }: { report: Report }) {
  const { browsers, summary } = report;
  if (!browsers.length) return null;
  const lines: [string, (browser: BrowserReport) => string, string][] = [
    ["Received, kB/s", (one) => plain(one.received_kbytes_per_s), plain(summary.kbytes_per_s_per_participant)],
    ["Packets lost", (one) => percent(one.packet_loss), percent(summary.packet_loss)],
    ["Jitter, ms", (one) => plain(one.jitter_ms), plain(summary.jitter_ms.p50)],
    ["First picture, ms", (one) => plain(one.first_frame_ms), plain(summary.first_frame_ms.p50)],
    ["Frames a second", (one) => plain(one.frames_per_s), ""],
    ["Freezes", (one) => `${whole(one.freezes)} (${plain(one.freeze_s)} s)`, percent(summary.freeze_share)],
    ["Audio concealed", (one) => percent(one.audio_concealed_share), ""],
  ];
  return (
    <Section title="Real browsers beside the synthetic users" hint="From the browsers' own getStats, in the same rooms. Synthetic users: medians of all.">
      <Table label="Browsers">
        <thead>
          <tr>
            <th scope="col">what</th>
            <th scope="col" class="number">
              synthetic users
            </th>
            {browsers.map((browser) => (
              <th key={browser.name} scope="col" class="number">
                {browser.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(([title, of, synthetic]) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              <td class="number strong">{synthetic || "–"}</td>
              {browsers.map((browser) => (
                <td key={browser.name} class="number">
                  {of(browser)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </Table>
    </Section>
  );
}

/** Where and how it ran: enough to run it again. */
export function Background({ report }: { report: Report }) {
  const words = (value: unknown): string => (typeof value === "object" && value !== null ? JSON.stringify(value) : String(value));
  const machine = Object.entries({ ...report.machine, ...report.versions });
  return (
    <>
      <Section title="Machine">
        <Facts facts={machine.map(([name, value]) => [machineTitle(name), words(value)] as const)} />
        {report.agents.length > 0 && (
          <>
            <h3>Generators</h3>
            <Rows
              label="Generators"
              rows={report.agents}
              columns={[...new Set(report.agents.flatMap((agent) => Object.keys(agent)))].map((name): Column<Record<string, unknown>> => ({
                title: spaced(name),
                text: true,
                cell: (agent) => words(agent[name] ?? ""),
              }))}
            />
          </>
        )}
      </Section>
      <Section title="How to run it again">
        <pre class="command" tabIndex={0}>
          <code>{report.command}</code>
        </pre>
        <details>
          <summary>The whole scenario</summary>
          <pre tabIndex={0}>
            <code>{JSON.stringify(report.scenario, null, 2)}</code>
          </pre>
        </details>
      </Section>
    </>
  );
}
