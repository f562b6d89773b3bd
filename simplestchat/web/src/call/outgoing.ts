/** What we send: keeps a send transport and one producer per source as wanted, through every loss. */

import type { types } from "mediasoup-client";
import { Backoff } from "../lib/backoff";
import { randomId } from "../lib/random";
import { Reconciler } from "../lib/reconciler";
import { RpcError } from "../net/rpc";
import type { LayersTaken, Notifications, OwnMedia, Source } from "../net/wire";
import { LayerSwitch } from "./layers";
import { Leftovers } from "./leftovers";
import { Link, type LinkContext, RETRY } from "./link";
import type { Recipe, Recipes } from "./recipes";

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

/** Refusals that another try will not change. */
const FINAL_REASONS: ReadonlySet<string> = new Set(["forbidden", "quota", "incompatible_codecs", "invalid_params"]);

interface Published {
  readonly producer: types.Producer;
  /** The recipe by which it was made. */
  readonly key: string;
  /** Pictures: switches off what nobody wants. */
  readonly layers: LayerSwitch | null;
  /** What the server knows; `null` from a request to its answer, which may be lost. */
  paused: boolean | null;
}

/** Wishes for producers that are just being made. */
const MOST_EARLY_WISHES = 8;

export class Outgoing {
  readonly #context: LinkContext;
  readonly #recipes: Recipes;
  readonly #observer: OutgoingObserver;
  readonly #reconciler: Reconciler;
  readonly #wanted = new Map<Source, Sending>();
  readonly #producers = new Map<Source, Published>();
  readonly #refused = new Map<Source, MediaStreamTrack>();
  readonly #earlyWishes = new Map<string, LayersTaken>();
  readonly #leftovers: Leftovers;
  /** Producers that the server has made and this page has not yet. */
  readonly #making = new Set<string>();
  #cname = randomId();
  #link: Link | null = null;

  constructor(context: LinkContext, recipes: Recipes, observer: OutgoingObserver) {
    this.#context = context;
    this.#recipes = recipes;
    this.#observer = observer;
    this.#leftovers = new Leftovers(context.request);
    this.#reconciler = new Reconciler(() => this.#step(), new Backoff(RETRY));
  }

  /** From now on this source is like that; `null` means it is not sent at all. */
  want(source: Source, sending: Sending | null): void {
    if (sending === null) this.#wanted.delete(source);
    else this.#wanted.set(source, sending);
    this.#reconciler.request();
  }

  /** The room's codecs changed: what is sent otherwise than it would be now is published anew. */
  prefer(codecs: readonly string[] | null): void {
    this.#recipes.prefer(codecs);
    this.#reconciler.request();
  }

  /** Which layers of a producer anybody wants. */
  onLayers(producerId: string, wanted: LayersTaken): void {
    for (const { producer, layers } of this.#producers.values()) {
      if (producer.id === producerId) return layers?.want(wanted);
    }
    if (this.#earlyWishes.size >= MOST_EARLY_WISHES) this.#earlyWishes.clear();
    this.#earlyWishes.set(producerId, wanted);
  }

  /** The network changed: look for a new path before the old one is known to be broken. */
  onNetworkChange(): void {
    this.#link?.renew();
  }

  /** The signaling is back: what is here and what the server holds are made the same, then what is left to do is done. */
  refresh(own: OwnMedia): void {
    this.#link?.check(own);
    const known = new Set([...this.#making, ...[...this.#producers.values()].map(({ producer }) => producer.id)]);
    this.#leftovers.find(own, "send", this.#link?.transport.id, known);
    const held = new Map(own.producers.map((producer) => [producer.producerId, producer]));
    for (const [source, published] of this.#producers) {
      const now = held.get(published.producer.id);
      if (now) {
        published.paused = now.paused;
        // A server that does not say what is wanted gets everything.
        published.layers?.want(now);
        continue;
      }
      published.producer.close();
      this.#producers.delete(source);
    }
    this.#reconciler.request();
  }

  onServerState(transportId: string, state: Notifications["transport.state"]["state"]): void {
    if (this.#link?.transport.id === transportId) this.#link.onServerState(state);
  }

  /** The server closed one of our producers by itself. */
  onProducerClosed(producerId: string): void {
    for (const [source, { producer }] of this.#producers) {
      if (producer.id !== producerId) continue;
      producer.close();
      this.#producers.delete(source);
      if (producer.track) this.#refused.set(source, producer.track);
    }
  }

  stats(): Promise<RTCStatsReport> | null {
    return this.#link?.transport.getStats() ?? null;
  }

  /** One source as the browser counts it, and what is set of its encodings. */
  async sourceStats(source: Source): Promise<{ report: RTCStatsReport; encodings: RTCRtpEncodingParameters[] } | null> {
    const producer = this.#producers.get(source)?.producer;
    if (!producer?.rtpSender) return null;
    const report = await producer.getStats();
    return { report, encodings: producer.rtpSender.getParameters().encodings ?? [] };
  }

  producerIds(): Partial<Record<Source, string>> {
    return Object.fromEntries([...this.#producers].map(([source, { producer }]) => [source, producer.id]));
  }

  stop(): void {
    this.#reconciler.stop();
    this.#link?.close();
    this.#link = null;
    this.#producers.clear();
  }

  async #step(): Promise<void> {
    for (const [source, published] of this.#producers) {
      if (!this.#wanted.has(source) || this.#isOutdated(source, published)) this.#close(source, published.producer);
    }
    await this.#leftovers.close();
    for (const [source, sending] of this.#wanted) {
      const published = this.#producers.get(source);
      if (published) await this.#adjust(published, sending);
      else if (sending.track && this.#refused.get(source) !== sending.track) await this.#produce(source, sending.track);
    }
  }

  #isOutdated(source: Source, { key }: Published): boolean {
    const track = this.#wanted.get(source)?.track;
    return Boolean(track) && this.#recipes.for(source, track as MediaStreamTrack).key !== key;
  }

  async #transport(): Promise<types.Transport> {
    if (this.#link) return this.#link.transport;
    // The one before this may have been lost a moment ago.
    await this.#leftovers.close();
    const link: Link = await Link.open("send", this.#context, {
      onState: (state) => this.#link === link && this.#observer.onState(state),
      onLost: (held) => this.#link === link && this.#onLost(link, held),
    });
    link.transport.on("produce", ({ kind, rtpParameters: { rtcp, ...described }, appData }, done, failed) => {
      // Several streams have no name in the browser's description, and their subscribers could not be told the SSRC.
      const rtpParameters = { ...described, rtcp: { ...rtcp, cname: rtcp?.cname || this.#cname } };
      this.#cname = rtpParameters.rtcp.cname;
      const params = { transportId: link.transport.id, kind, rtpParameters, appData: appData as { source: Source } };
      this.#context.request("producer.create", params).then((created) => {
        this.#making.add(created.id);
        done(created);
      }, failed);
    });
    this.#link = link;
    return link.transport;
  }

  #onLost(link: Link, held: boolean): void {
    if (held) this.#leftovers.transport(link.transport.id);
    this.#link = null;
    this.#producers.clear();
    this.#making.clear();
    this.#observer.onState("connecting");
    this.#reconciler.request();
  }

  async #produce(source: Source, track: MediaStreamTrack): Promise<void> {
    const transport = await this.#transport();
    const recipe = this.#recipes.for(source, track);
    try {
      const producer = await transport.produce({
        track,
        stopTracks: false,
        disableTrackOnPause: false,
        appData: { source },
        ...recipe.options,
      });
      this.#producers.set(source, this.#published(producer, recipe));
      this.#making.delete(producer.id);
    } catch (error) {
      if (!(error instanceof RpcError) || !FINAL_REASONS.has(error.reason)) throw error;
      this.#refused.set(source, track);
      this.#observer.onRefused(source, error);
      return;
    }
    // What was wanted may have changed meanwhile; the next step compares again.
    this.#reconciler.request();
  }

  #published(producer: types.Producer, { key, options }: Recipe): Published {
    const sender = producer.kind === "video" ? producer.rtpSender : undefined;
    const layers = sender && options.encodings ? new LayerSwitch(sender, options.encodings) : null;
    const wish = this.#earlyWishes.get(producer.id);
    this.#earlyWishes.delete(producer.id);
    if (wish) layers?.want(wish);
    return { producer, key, layers, paused: false };
  }

  async #adjust(published: Published, { track, paused }: Sending): Promise<void> {
    const { producer } = published;
    const silent = paused || track === null;
    if (silent) await this.#setPaused(published, true);
    if (producer.track !== track) await producer.replaceTrack({ track });
    if (!silent) await this.#setPaused(published, false);
  }

  async #setPaused(published: Published, paused: boolean): Promise<void> {
    if (published.paused === paused) return;
    published.paused = null;
    await this.#context.request(paused ? "producer.pause" : "producer.resume", { producerId: published.producer.id });
    published.paused = paused;
  }

  #close(source: Source, producer: types.Producer): void {
    this.#producers.delete(source);
    producer.close();
    this.#leftovers.producer(producer.id);
  }
}
