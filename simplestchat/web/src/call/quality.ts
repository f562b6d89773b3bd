/** How good a stream is: two looks at the browser's statistics in, figures for people out. Pure. */

type Entry = Readonly<Record<string, unknown>>;

/** Counters of one moment. */
export interface Sample {
  readonly atMs: number;
  readonly bytes: number;
  readonly packets: number;
  readonly lost: number;
  readonly frames: number;
}

export interface Incoming {
  readonly sample: Sample;
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number | null;
  readonly bps: number | null;
  /** Share of the packets that never came, since the look before. */
  readonly loss: number | null;
  readonly jitterMs: number;
  readonly freezes: number;
}

export interface Encoded {
  readonly sample: Sample;
  readonly rid: string;
  readonly codec: string;
  readonly mode: string;
  readonly active: boolean;
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number | null;
  readonly bps: number | null;
  /** What keeps it from being better: `bandwidth`, `cpu`, `other`, `none`. */
  readonly limitedBy: string;
  /** Share of the packets that the server missed, as it last reported. */
  readonly loss: number | null;
}

const number = (entry: Entry, key: string): number => (typeof entry[key] === "number" ? entry[key] : 0);
const text = (entry: Entry, key: string): string => (typeof entry[key] === "string" ? entry[key] : "");

function entriesOf(report: RTCStatsReport): Entry[] {
  return [...(report.values() as Iterable<Entry>)];
}

function codecOf(entries: readonly Entry[], entry: Entry): string {
  const mimeType = text(entries.find(({ id }) => id === entry["codecId"]) ?? {}, "mimeType");
  return mimeType.slice(mimeType.indexOf("/") + 1).toUpperCase();
}

/** What there was of something each second since the look before. */
function rate(now: Sample, before: Sample | undefined, key: "bytes" | "frames"): number | null {
  const seconds = before ? (now.atMs - before.atMs) / 1000 : 0;
  if (!before || seconds <= 0 || now[key] < before[key]) return null;
  return (now[key] - before[key]) / seconds;
}

function lossSince(now: Sample, before: Sample | undefined): number | null {
  if (!before) return null;
  const lost = Math.max(0, now.lost - before.lost);
  const expected = now.packets - before.packets + lost;
  return expected > 0 ? lost / expected : null;
}

const bits = (bytes: number | null): number | null => (bytes === null ? null : Math.round(bytes * 8));

/** One stream that is received; `null` while nothing of it came. */
export function incomingQuality(report: RTCStatsReport, before?: Sample): Incoming | null {
  const entries = entriesOf(report);
  const entry = entries.find(({ type }) => type === "inbound-rtp");
  if (!entry) return null;
  const sample: Sample = {
    atMs: number(entry, "timestamp"),
    bytes: number(entry, "bytesReceived"),
    packets: number(entry, "packetsReceived"),
    lost: number(entry, "packetsLost"),
    frames: number(entry, "framesDecoded"),
  };
  return {
    sample,
    codec: codecOf(entries, entry),
    width: number(entry, "frameWidth"),
    height: number(entry, "frameHeight"),
    framesPerSecond: rate(sample, before, "frames"),
    bps: bits(rate(sample, before, "bytes")),
    loss: lossSince(sample, before),
    jitterMs: number(entry, "jitter") * 1000,
    freezes: number(entry, "freezeCount"),
  };
}

/** Every encoding that is sent of one source, the lowest first; `settings` are those of the sender. */
export function encodedQuality(
  report: RTCStatsReport,
  settings: readonly RTCRtpEncodingParameters[],
  before: ReadonlyMap<string, Sample> = new Map(),
): Encoded[] {
  const entries = entriesOf(report);
  const remote = new Map(entries.filter(({ type }) => type === "remote-inbound-rtp").map((entry) => [entry["localId"], entry]));
  const order = new Map(settings.map(({ rid }, index) => [rid ?? "", index]));
  return entries
    .filter(({ type }) => type === "outbound-rtp")
    .map((entry) => {
      const rid = text(entry, "rid");
      const setting = settings.find((one) => (one.rid ?? "") === rid) ?? settings[0];
      const sample: Sample = {
        atMs: number(entry, "timestamp"),
        bytes: number(entry, "bytesSent"),
        packets: number(entry, "packetsSent"),
        lost: 0,
        frames: number(entry, "framesEncoded"),
      };
      const report = remote.get(entry["id"]);
      return {
        sample,
        rid,
        codec: codecOf(entries, entry),
        mode: text(entry, "scalabilityMode"),
        active: setting?.active ?? true,
        width: number(entry, "frameWidth"),
        height: number(entry, "frameHeight"),
        framesPerSecond: rate(sample, before.get(rid), "frames"),
        bps: bits(rate(sample, before.get(rid), "bytes")),
        limitedBy: text(entry, "qualityLimitationReason"),
        loss: report && typeof report["fractionLost"] === "number" ? report["fractionLost"] : null,
      };
    })
    .sort((a, b) => (order.get(a.rid) ?? 0) - (order.get(b.rid) ?? 0));
}
