/** What we receive: keeps a receive transport and one consumer per wanted producer, through every loss. */

import type { types } from "mediasoup-client";
import { Backoff } from "../lib/backoff";
import { Reconciler } from "../lib/reconciler";
import { RpcError } from "../net/rpc";
import type { Notifications, OwnMedia } from "../net/wire";
import { Link, type LinkContext, RETRY } from "./link";
import type { Wanted } from "./plan";

export interface IncomingObserver {
  onState(state: types.ConnectionState): void;
  /** The tracks by producer id, whenever one came or went. */
  onTracks(tracks: ReadonlyMap<string, MediaStreamTrack>): void;
  /** The consumers' ids by producer id, at the same time. */
  onConsumers(consumers: ReadonlyMap<string, string>): void;
  /** The server holds this consumer back from its beginning. */
  onHeld(consumerId: string): void;
}

/** How many layers a stream has, as the server counts them. */
export interface LayerCounts {
  readonly spatial: number;
  readonly temporal: number;
}

interface Receiving {
  readonly consumer: types.Consumer;
  readonly peerId: string;
  readonly layers: LayerCounts;
  paused: boolean;
}

/** So many consumers are asked for at a time: a full room must not look like a flood. */
const PARALLEL = 8;
/** The producer is gone or cannot be played here; asking again brings nothing. */
const FINAL_REASONS: ReadonlySet<string> = new Set(["not_found", "forbidden", "incompatible_codecs", "quota", "invalid_params"]);
/** A transport never uses an SSRC twice, so after a long stay in a busy room it takes no more consumers and makes way. */
export const WORN_AFTER = 2_048;

const ONE_LAYER: LayerCounts = { spatial: 1, temporal: 1 };

export class Incoming {
  readonly #context: LinkContext;
  readonly #observer: IncomingObserver;
  readonly #reconciler: Reconciler;
  readonly #receiving = new Map<string, Receiving>();
  readonly #refused = new Set<string>();
  #wanted: ReadonlyMap<string, Wanted> = new Map();
  #link: Link | null = null;
  #opening: Promise<types.Transport> | null = null;
  /** How many consumers the present transport has carried. */
  #carried = 0;

  constructor(context: LinkContext, observer: IncomingObserver) {
    this.#context = context;
    this.#observer = observer;
    this.#reconciler = new Reconciler(() => this.#step(), new Backoff(RETRY));
  }

  /** From now on these are to be received, by producer id. */
  want(wanted: ReadonlyMap<string, Wanted>): void {
    this.#wanted = wanted;
    for (const id of this.#refused) if (!wanted.has(id)) this.#refused.delete(id);
    this.#reconciler.request();
  }

  /** The signaling is back: repair the link, forget what the server no longer holds, do what is left to do. */
  refresh(own: OwnMedia): void {
    this.#link?.check(own);
    const held = new Set(own.consumers.map(({ consumerId }) => consumerId));
    for (const [producerId, { consumer }] of this.#receiving) if (!held.has(consumer.id)) this.#drop(producerId);
    this.#reconciler.request();
  }

  onServerState(transportId: string, state: Notifications["transport.state"]["state"]): void {
    if (this.#link?.transport.id === transportId) this.#link.onServerState(state);
  }

  /** The server closed a consumer; it is asked for again if its producer still lives. */
  onConsumerClosed(consumerId: string): void {
    for (const [producerId, { consumer }] of this.#receiving) {
      if (consumer.id === consumerId) this.#drop(producerId);
    }
    this.#reconciler.request();
  }

  /** The loudness of every voice that arrives, 0–1, by peer. */
  levels(): Map<string, number> {
    const levels = new Map<string, number>();
    for (const { consumer, peerId } of this.#receiving.values()) {
      if (consumer.kind !== "audio" || !consumer.rtpReceiver) continue;
      const source = consumer.rtpReceiver.getSynchronizationSources()[0];
      levels.set(peerId, Math.max(levels.get(peerId) ?? 0, source?.audioLevel ?? 0));
    }
    return levels;
  }

  /** The browser's statistics of each consumer, by producer id. */
  async stats(): Promise<Map<string, RTCStatsReport>> {
    const entries = [...this.#receiving].map(async ([id, { consumer }]) => [id, await consumer.getStats()] as const);
    return new Map(await Promise.all(entries));
  }

  /** One stream as the browser counts it. */
  async statsOf(producerId: string): Promise<RTCStatsReport | null> {
    return (await this.#receiving.get(producerId)?.consumer.getStats()) ?? null;
  }

  layersOf(producerId: string): LayerCounts {
    return this.#receiving.get(producerId)?.layers ?? ONE_LAYER;
  }

  /** The network changed: look for a new path before the old one is known to be broken. */
  onNetworkChange(): void {
    this.#link?.renew();
  }

  stop(): void {
    this.#reconciler.stop();
    this.#link?.close();
    this.#link = null;
    this.#receiving.clear();
    this.#publish();
  }

  async #step(): Promise<void> {
    for (const producerId of [...this.#receiving.keys()]) {
      if (!this.#wanted.has(producerId)) await this.#close(producerId);
    }
    const missing = [...this.#wanted.values()].filter(
      ({ producer }) => !this.#receiving.has(producer.id) && !this.#refused.has(producer.id),
    );
    for (let start = 0; start < missing.length; start += PARALLEL) {
      const results = await Promise.allSettled(missing.slice(start, start + PARALLEL).map((wanted) => this.#consume(wanted)));
      const failure = results.find((result) => result.status === "rejected");
      if (failure) throw failure.reason;
    }
    for (const [producerId, receiving] of this.#receiving) await this.#adjust(producerId, receiving);
  }

  async #transport(): Promise<types.Transport> {
    if (this.#link) return this.#link.transport;
    this.#opening ??= this.#open().finally(() => (this.#opening = null));
    return this.#opening;
  }

  async #open(): Promise<types.Transport> {
    const link: Link = await Link.open("recv", this.#context, {
      onState: (state) => this.#link === link && this.#observer.onState(state),
      onLost: () => this.#link === link && this.#onLost(),
    });
    this.#link = link;
    this.#carried = 0;
    return link.transport;
  }

  #onLost(): void {
    this.#link = null;
    this.#receiving.clear();
    this.#refused.clear();
    this.#publish();
    this.#observer.onState("connecting");
    this.#reconciler.request();
  }

  /** Everything moves to a new transport; what the old one holds counts until the server has closed it. */
  async #replace(worn: types.Transport): Promise<void> {
    if (this.#link?.transport !== worn) return;
    this.#link.close();
    this.#onLost();
    await this.#context.request("transport.close", { transportId: worn.id });
  }

  async #consume({ producer, peerId, paused }: Wanted): Promise<void> {
    const transport = await this.#transport();
    const { device, request } = this.#context;
    let consumer: types.Consumer;
    let layers = ONE_LAYER;
    try {
      const created = await request("consumer.create", {
        transportId: transport.id,
        producerId: producer.id,
        rtpCapabilities: device.recvRtpCapabilities,
        paused: true,
      });
      this.#carried += 1;
      if (created.held) this.#observer.onHeld(created.id);
      layers = { spatial: created.spatialLayers ?? 1, temporal: created.temporalLayers ?? 1 };
      const screen = producer.source === "screen" || producer.source === "screen-audio";
      consumer = await transport.consume({ ...created, streamId: screen ? `${peerId}-screen` : peerId });
    } catch (error) {
      if (!(error instanceof RpcError) || !FINAL_REASONS.has(error.reason)) throw error;
      if (error.reason === "quota" && this.#carried >= WORN_AFTER) await this.#replace(transport);
      else if (this.#link?.transport === transport) this.#refused.add(producer.id);
      return;
    }
    if (transport.closed) throw new Error("the transport closed meanwhile");
    this.#receiving.set(producer.id, { consumer, peerId, layers, paused: true });
    this.#publish();
    if (!paused) await this.#setPaused(producer.id, false);
  }

  async #adjust(producerId: string, receiving: Receiving): Promise<void> {
    const wanted = this.#wanted.get(producerId);
    if (wanted && wanted.paused !== receiving.paused) await this.#setPaused(producerId, wanted.paused);
  }

  async #setPaused(producerId: string, paused: boolean): Promise<void> {
    const receiving = this.#receiving.get(producerId);
    if (!receiving) return;
    const params = { consumerId: receiving.consumer.id };
    await this.#context.request(paused ? "consumer.pause" : "consumer.resume", params).catch((error: unknown) => {
      // Gone on the server: `consumer.closed` is on its way and settles it.
      if (!(error instanceof RpcError)) throw error;
    });
    receiving.paused = paused;
  }

  async #close(producerId: string): Promise<void> {
    const consumerId = this.#receiving.get(producerId)?.consumer.id;
    this.#drop(producerId);
    if (consumerId === undefined) return;
    await this.#context.request("consumer.close", { consumerId }).catch((error: unknown) => {
      if (!(error instanceof RpcError)) throw error;
    });
  }

  #drop(producerId: string): void {
    this.#receiving.get(producerId)?.consumer.close();
    this.#receiving.delete(producerId);
    this.#publish();
  }

  #publish(): void {
    this.#observer.onTracks(new Map([...this.#receiving].map(([id, { consumer }]) => [id, consumer.track])));
    this.#observer.onConsumers(new Map([...this.#receiving].map(([id, { consumer }]) => [id, consumer.id])));
  }
}
