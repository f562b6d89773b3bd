/** What we send: keeps a send transport and one producer per source as wanted, through every loss. */

import type { types } from "mediasoup-client";
import { Backoff } from "../lib/backoff";
import { Reconciler } from "../lib/reconciler";
import { RpcError } from "../net/rpc";
import type { Notifications, OwnMedia, Source } from "../net/wire";
import { Link, type LinkContext, RETRY } from "./link";

export interface Sending {
  /** No track: nothing to send now, and the source is paused. */
  readonly track: MediaStreamTrack | null;
  readonly paused: boolean;
}

export interface OutgoingObserver {
  onState(state: types.ConnectionState): void;
  /** The server refuses a source for good. */
  onRefused(source: Source, error: RpcError): void;
}

const CAMERA_BPS = 1_700_000;
const SCREEN_BPS = 2_500_000;
const SCREEN_FPS = 15;
const SCREEN_AUDIO_BPS = 128_000;
const START_KBPS = 900;

/** Refusals that another try will not change. */
const FINAL_REASONS: ReadonlySet<string> = new Set(["forbidden", "quota", "incompatible_codecs", "invalid_params"]);

type Settings = Pick<types.ProducerOptions, "encodings" | "codecOptions" | "streamId">;

const SETTINGS: Readonly<Record<Source, Settings>> = {
  microphone: { streamId: "person", codecOptions: { opusDtx: true, opusFec: true } },
  camera: {
    streamId: "person",
    encodings: [{ maxBitrate: CAMERA_BPS }],
    codecOptions: { videoGoogleStartBitrate: START_KBPS },
  },
  screen: {
    streamId: "screen",
    encodings: [{ maxBitrate: SCREEN_BPS, maxFramerate: SCREEN_FPS }],
    codecOptions: { videoGoogleStartBitrate: START_KBPS },
  },
  "screen-audio": {
    streamId: "screen",
    codecOptions: { opusStereo: true, opusFec: true, opusMaxAverageBitrate: SCREEN_AUDIO_BPS },
  },
};

export class Outgoing {
  readonly #context: LinkContext;
  readonly #observer: OutgoingObserver;
  readonly #reconciler: Reconciler;
  readonly #wanted = new Map<Source, Sending>();
  readonly #producers = new Map<Source, types.Producer>();
  readonly #refused = new Map<Source, MediaStreamTrack>();
  #link: Link | null = null;

  constructor(context: LinkContext, observer: OutgoingObserver) {
    this.#context = context;
    this.#observer = observer;
    this.#reconciler = new Reconciler(() => this.#step(), new Backoff(RETRY));
  }

  /** From now on this source is like that; `null` means it is not sent at all. */
  want(source: Source, sending: Sending | null): void {
    if (sending === null) this.#wanted.delete(source);
    else this.#wanted.set(source, sending);
    this.#reconciler.request();
  }

  /** The signaling is back: repair the link, forget what the server no longer holds, do what is left to do. */
  refresh(own: OwnMedia): void {
    this.#link?.check(own);
    const held = new Set(own.producers.map(({ producerId }) => producerId));
    for (const [source, producer] of this.#producers) {
      if (held.has(producer.id)) continue;
      producer.close();
      this.#producers.delete(source);
    }
    this.#reconciler.request();
  }

  onServerState(transportId: string, state: Notifications["transport.state"]["state"]): void {
    if (this.#link?.transport.id === transportId) this.#link.onServerState(state);
  }

  /** The server closed one of our producers by itself. */
  onProducerClosed(producerId: string): void {
    for (const [source, producer] of this.#producers) {
      if (producer.id !== producerId) continue;
      producer.close();
      this.#producers.delete(source);
      if (producer.track) this.#refused.set(source, producer.track);
    }
  }

  stats(): Promise<RTCStatsReport> | null {
    return this.#link?.transport.getStats() ?? null;
  }

  producerIds(): Partial<Record<Source, string>> {
    return Object.fromEntries([...this.#producers].map(([source, producer]) => [source, producer.id]));
  }

  stop(): void {
    this.#reconciler.stop();
    this.#link?.close();
    this.#link = null;
    this.#producers.clear();
  }

  async #step(): Promise<void> {
    for (const [source, producer] of this.#producers) {
      if (!this.#wanted.has(source)) await this.#close(source, producer);
    }
    for (const [source, sending] of this.#wanted) {
      const producer = this.#producers.get(source);
      if (producer) await this.#adjust(producer, sending);
      else if (sending.track && this.#refused.get(source) !== sending.track) await this.#produce(source, sending.track);
    }
  }

  async #transport(): Promise<types.Transport> {
    if (this.#link) return this.#link.transport;
    const link: Link = await Link.open("send", this.#context, {
      onState: (state) => this.#link === link && this.#observer.onState(state),
      onLost: () => this.#link === link && this.#onLost(),
    });
    link.transport.on("produce", ({ kind, rtpParameters, appData }, done, failed) => {
      const params = { transportId: link.transport.id, kind, rtpParameters, appData: appData as { source: Source } };
      this.#context.request("producer.create", params).then(done, failed);
    });
    this.#link = link;
    return link.transport;
  }

  #onLost(): void {
    this.#link = null;
    this.#producers.clear();
    this.#observer.onState("connecting");
    this.#reconciler.request();
  }

  async #produce(source: Source, track: MediaStreamTrack): Promise<void> {
    const transport = await this.#transport();
    const vp8 = this.#context.device.sendRtpCapabilities.codecs?.find((codec) => codec.mimeType.toLowerCase() === "video/vp8");
    try {
      const producer = await transport.produce({
        track,
        stopTracks: false,
        disableTrackOnPause: false,
        appData: { source },
        ...SETTINGS[source],
        ...(track.kind === "video" && vp8 ? { codec: vp8 } : {}),
      });
      this.#producers.set(source, producer);
    } catch (error) {
      if (!(error instanceof RpcError) || !FINAL_REASONS.has(error.reason)) throw error;
      this.#refused.set(source, track);
      this.#observer.onRefused(source, error);
      return;
    }
    // What was wanted may have changed meanwhile; the next step compares again.
    this.#reconciler.request();
  }

  async #adjust(producer: types.Producer, { track, paused }: Sending): Promise<void> {
    const silent = paused || track === null;
    if (silent && !producer.paused) {
      await this.#context.request("producer.pause", { producerId: producer.id });
      producer.pause();
    }
    if (producer.track !== track) await producer.replaceTrack({ track });
    if (!silent && producer.paused) {
      await this.#context.request("producer.resume", { producerId: producer.id });
      producer.resume();
    }
  }

  async #close(source: Source, producer: types.Producer): Promise<void> {
    this.#producers.delete(source);
    producer.close();
    await this.#context.request("producer.close", { producerId: producer.id }).catch((error: unknown) => {
      if (!(error instanceof RpcError)) throw error;
    });
  }
}
