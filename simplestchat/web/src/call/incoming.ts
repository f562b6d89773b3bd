/** What we receive: keeps a receive transport and one consumer per wanted producer, through every loss. */

import type { types } from "mediasoup-client";
import { Backoff } from "../lib/backoff";
import { Reconciler } from "../lib/reconciler";
import { RpcError } from "../net/rpc";
import type { Notifications, OwnMedia } from "../net/wire";
import { inBatches } from "./batches";
import { Leftovers, unlessGone } from "./leftovers";
import { Link, type LinkContext, RETRY } from "./link";
import type { Wanted } from "./plan";
import type { Producer } from "./roster";

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
  /** What the server knows; `null` from a request to its answer, which may be lost. */
  paused: boolean | null;
}

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
  readonly #leftovers: Leftovers;
  /** Consumers that the server has made and this page has not yet. */
  readonly #making = new Set<string>();
  #wanted: ReadonlyMap<string, Wanted> = new Map();
  #link: Link | null = null;
  #opening: Promise<types.Transport> | null = null;
  /** How many consumers the present transport has carried. */
  #carried = 0;

  constructor(context: LinkContext, observer: IncomingObserver) {
    this.#context = context;
    this.#observer = observer;
    this.#leftovers = new Leftovers(context.request);
    this.#reconciler = new Reconciler(() => this.#step(), new Backoff(RETRY));
  }

  /** From now on these are to be received, by producer id. */
  want(wanted: ReadonlyMap<string, Wanted>): void {
    this.#wanted = wanted;
    for (const id of this.#refused) if (!wanted.has(id)) this.#refused.delete(id);
    this.#reconciler.request();
  }

  /** The signaling is back: what is here and what the server holds are made the same, then what is left to do is done. */
  refresh(own: OwnMedia): void {
    this.#link?.check(own);
    const known = new Set([...this.#making, ...[...this.#receiving.values()].map(({ consumer }) => consumer.id)]);
    this.#leftovers.find(own, "recv", this.#link?.transport.id, known);
    const held = new Map(own.consumers.map(({ consumerId, paused }) => [consumerId, paused]));
    for (const [producerId, receiving] of this.#receiving) {
      const paused = held.get(receiving.consumer.id);
      if (paused === undefined) this.#drop(producerId);
      else receiving.paused = paused;
    }
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
    for (const [producerId, { consumer }] of [...this.#receiving]) {
      if (this.#wanted.has(producerId)) continue;
      this.#drop(producerId);
      this.#leftovers.consumer(consumer.id);
    }
    await this.#leftovers.close();
    const wanted = [...this.#wanted.values()];
    const missing = wanted.filter(({ producer: { id } }) => !this.#receiving.has(id) && !this.#refused.has(id));
    // Whoever cannot have a transport need not ask for consumers.
    if (missing.length > 0) await this.#transport();
    const changed = wanted.filter(({ producer: { id }, paused }) => {
      const receiving = this.#receiving.get(id);
      return receiving !== undefined && receiving.paused !== paused;
    });
    await inBatches([...missing, ...changed], (one) => {
      const receiving = this.#receiving.get(one.producer.id);
      return receiving ? this.#setPaused(receiving, one.paused) : this.#consume(one);
    });
  }

  async #transport(): Promise<types.Transport> {
    if (this.#link) return this.#link.transport;
    this.#opening ??= this.#open().finally(() => (this.#opening = null));
    return this.#opening;
  }

  async #open(): Promise<types.Transport> {
    // The one before this may have been lost a moment ago.
    await this.#leftovers.close();
    const link: Link = await Link.open("recv", this.#context, {
      onState: (state) => this.#link === link && this.#observer.onState(state),
      onLost: (held) => this.#link === link && this.#onLost(link, held),
    });
    this.#link = link;
    this.#carried = 0;
    return link.transport;
  }

  #onLost(link: Link, held: boolean): void {
    if (held) this.#leftovers.transport(link.transport.id);
    this.#link = null;
    this.#receiving.clear();
    this.#making.clear();
    this.#refused.clear();
    this.#publish();
    this.#observer.onState("connecting");
    this.#reconciler.request();
  }

  /** Everything moves to a new transport; what the old one holds counts until the server has closed it. */
  #replace(worn: types.Transport): void {
    if (this.#link?.transport !== worn) return;
    this.#link.close();
    this.#onLost(this.#link, true);
  }

  async #consume({ producer, peerId, paused }: Wanted): Promise<void> {
    const transport = await this.#transport();
    let receiving: Receiving;
    try {
      receiving = await this.#create(transport, producer, peerId);
    } catch (error) {
      if (!(error instanceof RpcError) || !FINAL_REASONS.has(error.reason)) throw error;
      if (error.reason === "quota" && this.#carried >= WORN_AFTER) this.#replace(transport);
      else if (this.#link?.transport === transport) this.#refused.add(producer.id);
      return;
    }
    if (transport.closed) throw new Error("the transport closed meanwhile");
    this.#receiving.set(producer.id, receiving);
    this.#publish();
    if (!paused) await this.#setPaused(receiving, false);
  }

  /** A consumer at the server, paused for now, and its counterpart here. */
  async #create(transport: types.Transport, producer: Producer, peerId: string): Promise<Receiving> {
    const { device, request } = this.#context;
    const created = await request("consumer.create", {
      transportId: transport.id,
      producerId: producer.id,
      rtpCapabilities: device.recvRtpCapabilities,
      paused: true,
    });
    this.#carried += 1;
    if (created.held) this.#observer.onHeld(created.id);
    const layers = { spatial: created.spatialLayers ?? 1, temporal: created.temporalLayers ?? 1 };
    const screen = producer.source === "screen" || producer.source === "screen-audio";
    this.#making.add(created.id);
    try {
      const consumer = await transport.consume({ ...created, streamId: screen ? `${peerId}-screen` : peerId });
      return { consumer, peerId, layers, paused: true };
    } catch (error) {
      if (!transport.closed) this.#leftovers.consumer(created.id);
      throw error;
    } finally {
      this.#making.delete(created.id);
    }
  }

  async #setPaused(receiving: Receiving, paused: boolean): Promise<void> {
    receiving.paused = null;
    const params = { consumerId: receiving.consumer.id };
    await unlessGone(this.#context.request(paused ? "consumer.pause" : "consumer.resume", params));
    receiving.paused = paused;
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
