/** What the names of a report mean to a reader. */

import { spaced } from "./format";

/** Which distributions are drawn in one plot. */
export const DISTRIBUTIONS: readonly { title: string; names: readonly string[] }[] = [
  { title: "Media, one way", names: ["latency_audio", "latency_video", "frame_latency", "jitter", "rtt"] },
  { title: "Signaling and chat", names: ["signaling", "join", "chat", "reconnect"] },
  { title: "Getting connected", names: ["ice", "dtls", "ready", "first_packet", "first_frame"] },
  { title: "Inside the server", names: ["forward", "server_request", "server_loop_lag"] },
  { title: "The generator itself", names: ["lag", "wake", "loop_lag"] },
];

/** The latencies of the summary, by its field. */
export const SPREADS: readonly (readonly [string, string, string])[] = [
  ["signaling_ms", "Signaling: request to answer", "ms"],
  ["media_latency_ms", "Media latency, one way", "ms"],
  ["audio_latency_ms", "Audio latency, one way", "ms"],
  ["connect_ms", "Begin to all transports connected", "ms"],
  ["ice_ms", "ICE", "ms"],
  ["dtls_ms", "DTLS", "ms"],
  ["first_packet_ms", "Wanted to first packet", "ms"],
  ["first_frame_ms", "Wanted to first whole keyframe", "ms"],
  ["reconnect_ms", "Coming back", "ms"],
  ["jitter_ms", "Jitter", "ms"],
  ["mos", "Audio quality of streams (MOS)", ""],
];

const MACHINE: Readonly<Record<string, string>> = {
  cpu: "Processor",
  cores: "Cores that may be used",
  cores_all: "Cores",
  memory_mb: "Memory, MB",
  memory_free_mb: "Memory that was free, MB",
  kernel: "Linux",
  arch: "Architecture",
  governor: "CPU frequency governor",
  clock: "Clock source",
  load: "Load before the run",
  pinning: "Pinning",
  python: "Python",
  openssl: "OpenSSL",
};

/** What a name of the machine's description means. */
export function machineTitle(name: string): string {
  return MACHINE[name] ?? spaced(name);
}

export const VERDICTS = {
  pass: { title: "Pass", text: "Every objective was met." },
  fail: { title: "Fail", text: "An objective was missed." },
  void: { title: "Void", text: "The generator did not keep up: the figures say nothing about the server." },
} as const;
