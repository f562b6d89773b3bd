/** What this device can do with video, asked of the browser once. */

import { CODEC_NAMES, type CodecName } from "./codecs";

export interface DeviceFacts {
  /** Processor cores, as far as the browser tells; they stand for how strong the device is. */
  readonly cores: number;
  /** What is encoded in layers inside one stream, smoothly at 720p. */
  readonly layered: ReadonlySet<CodecName>;
  /** What the hardware does, so that it costs nearly nothing. */
  readonly efficient: ReadonlySet<CodecName>;
}

/** A browser that does not tell has at least so many. */
const CORES_UNTOLD = 4;
const ASKED = { width: 1280, height: 720, bitrate: 1_500_000, framerate: 30 } as const;
const LAYERED = "L3T3_KEY";
/** Payload types are dynamic from 96 on; here they only tell the codecs apart. */
const FIRST_PAYLOAD_TYPE = 96;
const PAYLOAD_TYPES = 32;

type EncodingQuestion = { type: "webrtc"; video: VideoConfiguration };
type Answer = Pick<MediaCapabilitiesInfo, "supported" | "smooth" | "powerEfficient">;

async function ask(codec: CodecName): Promise<Answer | null> {
  const video = { contentType: `video/${codec.toUpperCase()}`, ...ASKED, scalabilityMode: LAYERED };
  try {
    const question: EncodingQuestion = { type: "webrtc", video };
    return await navigator.mediaCapabilities.encodingInfo(question);
  } catch {
    // A browser without this question, or one that does not know the layers in it: there are none.
    return null;
  }
}

async function look(): Promise<DeviceFacts> {
  const answers = await Promise.all(CODEC_NAMES.map(async (codec) => [codec, await ask(codec)] as const));
  const those = (fits: (answer: Answer) => boolean): Set<CodecName> =>
    new Set(answers.flatMap(([codec, answer]) => (answer?.supported && fits(answer) ? [codec] : [])));
  return {
    cores: navigator.hardwareConcurrency || CORES_UNTOLD,
    layered: isFirefox() ? new Set() : those(({ smooth }) => smooth),
    efficient: those(({ powerEfficient }) => powerEfficient),
  };
}

/** Firefox takes a scalability mode and sends one layer. */
function isFirefox(): boolean {
  return navigator.userAgent.includes("Firefox/");
}

let known: Promise<DeviceFacts> | null = null;

export function deviceFacts(): Promise<DeviceFacts> {
  known ??= look();
  return known;
}

/** `a=1;b=c` as an object; numbers as numbers, but for H264's profile, whose digits are hexadecimal. */
function settingsOf(line: string | undefined): Record<string, string | number> {
  const pairs = (line ?? "").split(";").flatMap((pair) => {
    const [name, value] = pair.trim().split("=");
    return name && value !== undefined ? [[name, name !== "profile-level-id" && /^\d{1,9}$/.test(value) ? Number(value) : value] as const] : [];
  });
  return Object.fromEntries(pairs);
}

/** The codecs that this browser can show, for the room to choose by; nothing where it does not tell. */
export function receivableCodecs() {
  const video = globalThis.RTCRtpReceiver?.getCapabilities?.("video")?.codecs ?? [];
  const codecs = video.slice(0, PAYLOAD_TYPES).map(({ mimeType, clockRate, sdpFmtpLine }, index) => ({
    kind: "video" as const,
    mimeType,
    clockRate,
    preferredPayloadType: FIRST_PAYLOAD_TYPE + index,
    parameters: settingsOf(sdpFmtpLine),
    rtcpFeedback: [],
  }));
  return codecs.length > 0 ? { codecs, headerExtensions: [] } : null;
}
