/** Which codec a camera or a screen is sent with. Pure. */

import type { DeviceFacts } from "./device";

export const CODEC_NAMES = ["av1", "vp9", "vp8", "h264"] as const;
export type CodecName = (typeof CODEC_NAMES)[number];

/** Up to so many cores a device is weak: it leaves the dear codecs to others. */
export const WEAK_CORES = 4;
/** Software that encodes AV1 in three layers needs so many to keep up. */
const AV1_CORES = 8;

export function isCodecName(value: unknown): value is CodecName {
  return CODEC_NAMES.some((name) => name === value);
}

/** The name of a codec by its MIME type. */
export function codecName(mimeType: string): CodecName | null {
  const name = mimeType.slice(mimeType.indexOf("/") + 1).toLowerCase();
  return isCodecName(name) ? name : null;
}

function encodesWell(codec: CodecName, { cores, layered, efficient }: DeviceFacts): boolean {
  if (codec === "vp8" || codec === "h264") return true;
  if (!layered.has(codec)) return false;
  return efficient.has(codec) || (codec === "av1" ? cores >= AV1_CORES : cores > WEAK_CORES);
}

export interface CodecQuestion {
  /** The room's order, the best first. */
  readonly order: readonly string[];
  /** What the browser and the server both can. */
  readonly offered: readonly CodecName[];
  readonly facts: DeviceFacts;
}

/** The first of the room's order that this device encodes well; a weak device takes VP8 where it may. */
export function chooseCodec({ order, offered, facts }: CodecQuestion): CodecName | null {
  const possible = order.filter(isCodecName).filter((codec) => offered.includes(codec));
  if (facts.cores <= WEAK_CORES && possible.includes("vp8")) return "vp8";
  return possible.find((codec) => encodesWell(codec, facts)) ?? possible[0] ?? null;
}
