/**
 * In how many layers a picture is sent, and at what bitrates. Pure.
 *
 * VP8 and H264 send several streams of different sizes, the lowest first; VP9 and AV1 one stream with the sizes inside it,
 * where an upper one leans on the lower only at keyframes. A receiver gets what its network and its tile can take.
 */

import type { types } from "mediasoup-client";
import type { CodecName } from "./codecs";
import type { DeviceFacts } from "./device";

export type Encoding = types.RtpEncodingParameters;

export interface Capture {
  readonly width: number;
  readonly height: number;
}

/** What a camera gives when it does not tell. */
export const UNTOLD: Capture = { width: 1280, height: 720 };

/** 1500 kbit/s at 720p; four times the pixels take three times the bits: about 500 at 360p and 150 at 180p. */
const REFERENCE = { bps: 1_500_000, pixels: 1280 * 720 } as const;
const GROWTH = 0.8;
const STEP_BPS = 10_000;
const MOST_BPS = 3_000_000;
/** Bits that layers inside one stream save against streams of their own. */
const DENSITY: Readonly<Record<CodecName, number>> = { vp8: 1, h264: 1, vp9: 0.85, av1: 0.7 };
/** The shorter side that is still worth halving twice, or once. */
const THREE_LAYERS_SIDE = 540;
const TWO_LAYERS_SIDE = 270;
/** So few cores do not encode a middle size beside the others. */
const FEEBLE_CORES = 2;

const SCREEN_BPS = 2_500_000;
const SCREEN_FPS = 15;
const SCREEN_SMALL_BPS = 400_000;
const SCREEN_SMALL_FPS = 5;

export function isLayered(codec: CodecName): boolean {
  return codec === "vp9" || codec === "av1";
}

/** The bitrate that a picture of this size is worth. */
export function bitrateFor({ width, height }: Capture, codec: CodecName = "vp8"): number {
  const bps = REFERENCE.bps * ((width * height) / REFERENCE.pixels) ** GROWTH * DENSITY[codec];
  return Math.min(MOST_BPS, Math.max(STEP_BPS, Math.round(bps / STEP_BPS) * STEP_BPS));
}

/** By how much each size is smaller than the camera's, the smallest first. */
export function scales({ width, height }: Capture, facts: Pick<DeviceFacts, "cores">): number[] {
  const side = Math.min(width, height);
  if (side < TWO_LAYERS_SIDE) return [1];
  if (side < THREE_LAYERS_SIDE) return [2, 1];
  return facts.cores <= FEEBLE_CORES ? [4, 1] : [4, 2, 1];
}

function streams(capture: Capture, codec: CodecName, facts: DeviceFacts): Encoding[] {
  return scales(capture, facts).map((scale) => ({
    scaleResolutionDownBy: scale,
    maxBitrate: bitrateFor({ width: capture.width / scale, height: capture.height / scale }, codec),
    scalabilityMode: "L1T3",
  }));
}

function layers(capture: Capture, codec: CodecName): Encoding[] {
  // Inside one stream each size is half of the next: there is no leaving out the middle.
  const count = scales(capture, { cores: Infinity }).length;
  return [{ scalabilityMode: modeOf(count), maxBitrate: bitrateFor(capture, codec) }];
}

/** The scalability mode of so many sizes at three paces. */
export function modeOf(spatialLayers: number): string {
  return spatialLayers > 1 ? `L${spatialLayers}T3_KEY` : "L1T3";
}

export function cameraEncodings(codec: CodecName, capture: Capture, facts: DeviceFacts): Encoding[] {
  return isLayered(codec) ? layers(capture, codec) : streams(capture, codec, facts);
}

const FIRST: Encoding = { priority: "high", networkPriority: "high" };

/** A screen is read: its sharp picture comes first, and who cannot take that gets half the size at a slow pace. */
export function screenEncodings(codec: CodecName): Encoding[] {
  const sharp = { maxBitrate: SCREEN_BPS, maxFramerate: SCREEN_FPS, scalabilityMode: "L1T3" };
  const small = { maxBitrate: SCREEN_SMALL_BPS, maxFramerate: SCREEN_SMALL_FPS, scalabilityMode: "L1T3" };
  const encodings = isLayered(codec)
    ? [sharp]
    : [
        { ...small, scaleResolutionDownBy: 2 },
        { ...sharp, scaleResolutionDownBy: 1 },
      ];
  // The priority is the sender's: Chromium takes it from the first encoding, and refuses all of them where another has one.
  return encodings.map((encoding, index) => (index === 0 ? { ...encoding, ...FIRST } : encoding));
}

/** What a room gets that names no codecs: one stream. */
export const PLAIN_CAMERA: readonly Encoding[] = [{ maxBitrate: 1_700_000 }];
export const PLAIN_SCREEN: readonly Encoding[] = [{ maxBitrate: SCREEN_BPS, maxFramerate: SCREEN_FPS }];
