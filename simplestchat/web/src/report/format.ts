/** Figures as people read them. */

const ABSENT = "–";

/** A number with as many digits as tell something: "12,345", "123", "12.3", "1.23", "0.0123". */
export function plain(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT;
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e6) return `${trimmed(value / 1e6, 2)} M`;
  if (size >= 100) return Math.round(value).toLocaleString("en");
  if (size >= 10) return trimmed(value, 1);
  if (size >= 1) return trimmed(value, 2);
  return size < 1e-4 ? value.toExponential(1) : Number(value.toPrecision(2)).toString();
}

/** A share of 1 in per cent; what is not quite none or all does not read as if it were. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return ABSENT;
  const value = share * 100;
  if (value === 0 || value === 100) return `${value} %`;
  if (value > 99 && value < 100) return `${Math.min(99.999, Number(value.toFixed(3)))} %`;
  return `${plain(value)} %`;
}

/** A count, whole. */
export function whole(value: number | null | undefined): string {
  return value === null || value === undefined ? ABSENT : Math.round(value).toLocaleString("en");
}

/** A number with its unit. */
export function measured(value: number | null, unit: string): string {
  return value === null ? ABSENT : `${plain(value)} ${unit}`;
}

/** A figure with its unit; a share becomes per cent. */
export function withUnit(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return "not measured";
  if (unit === "share" || unit === "ratio") return percent(value);
  if (unit === "" || unit === "count") return Number.isInteger(value) ? whole(value) : plain(value);
  return `${plain(value)} ${unit}`;
}

/** "+12 %" of a ratio. */
export function change(ratio: number | null): string {
  if (ratio === null) return ABSENT;
  const value = (ratio - 1) * 100;
  const digits = Math.abs(value) >= 10 ? 0 : 1;
  const text = value.toFixed(digits);
  return `${value > 0 && Number(text) !== 0 ? "+" : ""}${text.replace("-", "−")} %`;
}

/** "2026-03-01 14:05 UTC" of an ISO time. */
export function moment(iso: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/u.exec(iso);
  return match ? `${match[1]} ${match[2]} UTC` : iso;
}

/** "1 min 20 s". */
export function span(seconds: number): string {
  const all = Math.round(seconds);
  if (all < 90) return `${plain(seconds)} s`;
  const hours = Math.floor(all / 3600);
  const minutes = Math.floor(all / 60) % 60;
  return hours ? `${hours} h ${minutes} min` : `${minutes} min ${all % 60} s`;
}

/** `packet_loss` as "packet loss", for names that nothing else is known of. */
export function spaced(name: string): string {
  return name.replaceAll("_", " ");
}

function trimmed(value: number, digits: number): string {
  return Number(value.toFixed(digits)).toString();
}
