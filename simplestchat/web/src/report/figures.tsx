/** The summary's figures: the few that matter large, latencies in a table, the rest in words. */

import { measured, percent, plain, whole } from "./format";
import { Facts, Section, Table } from "./kit";
import type { Report, Spread, Summary } from "./shapes";
import { SPREADS } from "./words";

export function Figures({ report }: { report: Report }) {
  const { summary } = report;
  return (
    <Section title="Figures">
      <ul class="tiles">
        {tiles(summary).map(([title, value, unit]) => (
          <li key={title}>
            <span class="tile-title">{title}</span>
            <span class="tile-value">
              {value}
              {unit && <small> {unit}</small>}
            </span>
          </li>
        ))}
      </ul>
      <Latencies summary={summary} />
      <div class="columns">
        <div>
          <h3>Delivery</h3>
          <Facts facts={delivery(summary)} />
        </div>
        <div>
          <h3>Cost</h3>
          <Facts facts={cost(summary)} />
        </div>
      </div>
    </Section>
  );
}

function tiles(summary: Summary): [string, string, string][] {
  return [
    ["Users", whole(summary.clients), ""],
    ["Connected", percent(summary.connection_success), ""],
    ["Lost after repair", percent(summary.packet_loss), ""],
    ["Media latency, p99", plain(summary.media_latency_ms.p99), "ms"],
    ["Signaling, p99", plain(summary.signaling_ms.p99), "ms"],
    ["Audio quality, median", plain(summary.mos.p50), "MOS"],
    ["Received by users", plain(summary.packets_per_s), "packets/s"],
    ["Server", plain(summary.server_cpu_cores), "cores"],
  ];
}

function delivery(summary: Summary): [string, string][] {
  return [
    ["Packets delivered", whole(summary.delivered)],
    ["Lost before repair", percent(summary.packet_loss_raw)],
    ["Lost after repair", percent(summary.packet_loss)],
    ["Of it, on the way to the server", percent(summary.packet_loss_uplink)],
    ["Repaired by retransmission", whole(summary.repaired)],
    ["Came twice", whole(summary.duplicate)],
    ["Came after a later one", whole(summary.reordered)],
    ["Corrupt", whole(summary.corrupt)],
    ["Misdelivered", whole(summary.misdelivered)],
    ["Errors", whole(summary.errors)],
    ["Viewing time frozen", percent(summary.freeze_share)],
    ["Chat lost, out of order", `${whole(summary.chat_lost)}, ${whole(summary.chat_disorder)}`],
  ];
}

function cost(summary: Summary): [string, string][] {
  return [
    ["Server CPU", measured(summary.server_cpu_cores, "cores")],
    ["Workers' CPU by packet forwarded", measured(summary.server_cpu_us_per_packet, "µs")],
    ["Server memory by participant", measured(summary.server_mb_per_participant, "MB")],
    ["Held by the server after the last user", whole(summary.server_objects_left)],
    ["Received by a participant, median", measured(summary.kbytes_per_s_per_participant, "kB/s")],
    ["Generator CPU", measured(summary.generator_cpu_cores, "cores")],
    ["Generator memory by user", measured(summary.generator_kb_per_user, "kB")],
  ];
}

function Latencies({ summary }: { summary: Summary }) {
  const rows = SPREADS.flatMap(([name, title, unit]) => {
    const spread = summary[name as keyof Summary] as Spread | undefined;
    return spread?.count ? [{ title, unit, spread }] : [];
  });
  if (!rows.length) return null;
  return (
    <Table label="Latencies">
      <thead>
        <tr>
          <th scope="col">what</th>
          {["median", "p95", "p99", "most", "mean", "measured"].map((title) => (
            <th key={title} scope="col" class="number">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ title, unit, spread }) => (
          <tr key={title}>
            <th scope="row">
              {title} {unit && <span class="unit">{unit}</span>}
            </th>
            <td class="number strong">{plain(spread.p50)}</td>
            <td class="number">{plain(spread.p95)}</td>
            <td class="number strong">{plain(spread.p99)}</td>
            <td class="number">{plain(spread.max)}</td>
            <td class="number">{plain(spread.mean)}</td>
            <td class="number">{whole(spread.count)}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}
