/**
 * The diagnostics door: what a person (or a test) can ask a page about its call from outside. It only reads.
 *
 * `await __simplestchat.stats()` tells what really arrives, from the browser's own counters.
 */

import type { Call } from "./call";
import { ownerOf } from "./roster";

export interface StreamStats {
  readonly producerId: string;
  readonly source: string;
  readonly kind: string;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly bytesReceived: number;
  readonly jitter: number;
  /** Pictures. */
  readonly framesDecoded: number;
  readonly framesDropped: number;
  readonly frameWidth: number;
  readonly frameHeight: number;
  readonly framesPerSecond: number;
  readonly freezeCount: number;
  /** Sound. */
  readonly totalAudioEnergy: number;
  readonly totalSamplesReceived: number;
  readonly concealedSamples: number;
}

export interface PeerStats {
  readonly peerId: string;
  readonly name: string;
  readonly streams: readonly StreamStats[];
}

export interface SendStats {
  readonly kind: string;
  readonly codec: string;
  /** The encoding's name, when there are several of a source. */
  readonly rid: string;
  readonly scalabilityMode: string;
  readonly framesEncoded: number;
  readonly frameWidth: number;
  readonly frameHeight: number;
  readonly framesPerSecond: number;
  readonly packetsSent: number;
  readonly bytesSent: number;
}

const number = (report: Record<string, unknown>, key: string): number => (typeof report[key] === "number" ? report[key] : 0);

function inbound(report: RTCStatsReport): Record<string, unknown> {
  for (const entry of report.values() as Iterable<Record<string, unknown>>) if (entry["type"] === "inbound-rtp") return entry;
  return {};
}

function streamStats(producerId: string, source: string, kind: string, report: RTCStatsReport): StreamStats {
  const entry = inbound(report);
  const of = (key: string): number => number(entry, key);
  return {
    producerId,
    source,
    kind,
    packetsReceived: of("packetsReceived"),
    packetsLost: of("packetsLost"),
    bytesReceived: of("bytesReceived"),
    jitter: of("jitter"),
    framesDecoded: of("framesDecoded"),
    framesDropped: of("framesDropped"),
    frameWidth: of("frameWidth"),
    frameHeight: of("frameHeight"),
    framesPerSecond: of("framesPerSecond"),
    freezeCount: of("freezeCount"),
    totalAudioEnergy: of("totalAudioEnergy"),
    totalSamplesReceived: of("totalSamplesReceived"),
    concealedSamples: of("concealedSamples"),
  };
}

/** What arrives from each of the others. */
export async function receiveStats(call: Call): Promise<PeerStats[]> {
  const reports = (await call.engine?.incoming.stats()) ?? new Map<string, RTCStatsReport>();
  const roster = call.roster.peek();
  const streams = new Map<string, StreamStats[]>([...roster.keys()].map((id) => [id, []]));
  for (const [producerId, report] of reports) {
    const peer = ownerOf(roster, producerId);
    const producer = peer?.producers.get(producerId);
    if (peer && producer) streams.get(peer.id)?.push(streamStats(producerId, producer.source, producer.kind, report));
  }
  return [...roster.values()].map(({ id, name }) => ({ peerId: id, name, streams: streams.get(id) ?? [] }));
}

/** What is sent. */
export async function sendStats(call: Call): Promise<SendStats[]> {
  const report = await call.engine?.outgoing.stats();
  if (!report) return [];
  const entries = [...(report.values() as Iterable<Record<string, unknown>>)];
  const codecs = new Map(entries.filter((entry) => entry["type"] === "codec").map((entry) => [entry["id"], entry["mimeType"]]));
  return entries
    .filter((entry) => entry["type"] === "outbound-rtp")
    .map((entry) => ({
      kind: String(entry["kind"]),
      codec: String(codecs.get(entry["codecId"]) ?? ""),
      rid: String(entry["rid"] ?? ""),
      scalabilityMode: String(entry["scalabilityMode"] ?? ""),
      framesEncoded: number(entry, "framesEncoded"),
      frameWidth: number(entry, "frameWidth"),
      frameHeight: number(entry, "frameHeight"),
      framesPerSecond: number(entry, "framesPerSecond"),
      packetsSent: number(entry, "packetsSent"),
      bytesSent: number(entry, "bytesSent"),
    }));
}

/** Where the call stands. */
export function callState(call: Call) {
  return {
    room: call.room.peek()?.id ?? null,
    selfId: call.selfId.peek(),
    connection: call.connection.peek(),
    media: call.media.peek(),
    peers: [...call.roster.peek().values()].map(({ id, name, role, producers }) => ({ peerId: id, name, role, producers: [...producers.values()] })),
    producers: call.engine?.outgoing.producerIds() ?? {},
    codec: call.engine?.recipes.codec ?? null,
    soundOnly: call.soundOnly.peek(),
    receptions: Object.fromEntries(call.receptions.peek()),
    speaking: [...call.speaking.peek()],
    activeSpeaker: call.activeSpeaker.peek(),
    messages: call.messages.entries.peek().map(({ seq, name, text, delivery, own }) => ({ seq, name, text, delivery, own })),
    unread: call.messages.unread.peek(),
  };
}
