/**
 * A call: the connection, the media engine, the chat and the people of one room, brought together as signals.
 *
 * Everything on screen is derived from here; everything a person does in a call is a method here. No DOM.
 */

import { batch, computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { Emitter } from "../lib/emitter";
import { Connection, type ConnectionState, type Refusal } from "../net/connection";
import type { RpcError, SocketLike } from "../net/rpc";
import type { JoinedRoom, JoinResult, Notification, Notifications, Source } from "../net/wire";
import type { CodecName } from "./codecs";
import { receivableCodecs } from "./device";
import { Engine, type MediaState } from "./engine";
import type { LocalMedia } from "./local";
import { Messages } from "./messages";
import { planConsumers } from "./plan";
import { applyToReceptions, holdBack, type Reception, receptionsByProducer, receptionsOf } from "./reception";
import { applyToRoster, type Peer, type Roster, rosterOf } from "./roster";
import { sameSet, SpeakingDetector } from "./speaking";
import { Views } from "./views";

/** Why the call is over. `refused` carries the server's word. */
export type Ending =
  | { readonly kind: "left" | "closed" | "expired" | "kicked" }
  | { readonly kind: "refused"; readonly reason: string; readonly message: string };

export interface CallEvents {
  /** Things worth saying: somebody came or went, something was refused. */
  joined: Peer;
  left: { peer: Peer; reason: Notifications["peer.left"]["reason"] };
  message: Notifications["chat.message"];
  refused: { source: Source; error: RpcError };
  presenting: Peer;
  draining: { deadlineMs: number };
  ownerToken: { room: string; token: string };
  ended: Ending;
}

export interface CallOptions {
  readonly room: string;
  readonly name: string;
  readonly token: string | null;
  readonly password: string | null;
  readonly local: LocalMedia;
  readonly open: () => SocketLike;
  /** No pictures, neither in nor out. */
  readonly soundOnly: ReadonlySignal<boolean>;
  /** The codec that a developer insists on. */
  readonly codec: CodecName | null;
}

const LEVELS_EVERY_MS = 200;

export class Call {
  readonly events = new Emitter<CallEvents>();
  readonly connection = signal<ConnectionState>("connecting");
  /** Why the server does not let us in just now, while the connection tries again. */
  readonly refusal = signal<Refusal | null>(null);
  readonly media = signal<MediaState>("idle");
  readonly ending = signal<Ending | null>(null);
  readonly room = signal<JoinedRoom | null>(null);
  readonly selfId = signal<string | null>(null);
  readonly roster = signal<Roster>(new Map());
  readonly tracks = signal<ReadonlyMap<string, MediaStreamTrack>>(new Map());
  /** Everyone who makes a sound now, oneself included. */
  readonly speaking = signal<ReadonlySet<string>>(new Set());
  /** The one whom the server hears most. */
  readonly activeSpeaker = signal<string | null>(null);
  readonly joinedAtMs = signal(0);
  /** The people whose pictures are on the page; `null` means everyone. */
  readonly visible = signal<ReadonlySet<string> | null>(null);
  /** What the server says about each stream, by producer. */
  readonly receptions = computed(() => receptionsByProducer(this.#notes.value, this.#consumers.value));
  readonly soundOnly: ReadonlySignal<boolean>;
  /** How large each picture is shown. */
  readonly views: Views;
  readonly isOwner = computed(() => this.room.value?.role === "owner");
  readonly messages: Messages;
  readonly name: string;
  readonly local: LocalMedia;

  readonly #connection: Connection;
  readonly #notes = signal<ReadonlyMap<string, Reception>>(new Map());
  readonly #consumers = signal<ReadonlyMap<string, string>>(new Map());
  readonly #codec: CodecName | null;
  readonly #detector = new SpeakingDetector();
  readonly #disposers: (() => void)[] = [];
  /** Makes its bearer owner, also of the room that this page makes anew after a restart of the server. */
  #token: string | null;
  #engine: Engine | null = null;
  #incarnation = 0;
  #levelTimer: ReturnType<typeof setInterval> | undefined;

  constructor(options: CallOptions) {
    const { room, name, password, open } = options;
    this.soundOnly = options.soundOnly;
    this.#codec = options.codec;
    const capabilities = receivableCodecs();
    this.name = name;
    this.#token = options.token;
    this.local = options.local;
    this.#connection = new Connection({
      open,
      join: () => ({
        room,
        name,
        ...(this.#token === null ? {} : { token: this.#token }),
        ...(password === null ? {} : { password }),
        ...(capabilities === null ? {} : { rtpCapabilities: capabilities }),
      }),
    });
    const request = this.#connection.request.bind(this.#connection);
    this.views = new Views(request);
    this.messages = new Messages(request, () => this.#connection.state === "joined");
    const events = this.#connection.events;
    events.on("state", (state) => (this.connection.value = state));
    events.on("waiting", ({ refusal }) => (this.refusal.value = refusal));
    events.on("joined", (result) => void this.#onJoined(result));
    events.on("notification", (notification) => this.#onNotification(notification));
    events.on("refused", ({ reason, message }) => this.#finish({ kind: "refused", reason, message }));
  }

  start(): void {
    this.#connection.start();
    this.#levelTimer = setInterval(() => this.#updateSpeaking(), LEVELS_EVERY_MS);
  }

  /** The network came back, or the person is impatient. */
  hurry(): void {
    this.#connection.hurry();
  }

  /** The device is on another network: nothing waits for the old path to be given up. */
  onNetworkChange(): void {
    this.hurry();
    this.#engine?.onNetworkChange();
  }

  async leave(): Promise<void> {
    this.#finish({ kind: "left" });
  }

  async updateRoom(changes: { name?: string; locked?: boolean; audioOnly?: boolean; public?: boolean }): Promise<void> {
    await this.#connection.request("room.update", changes);
  }

  async closeRoom(): Promise<void> {
    await this.#connection.request("room.close", {});
  }

  async kick(peerId: string): Promise<void> {
    await this.#connection.request("peer.kick", { peerId });
  }

  get engine(): Engine | null {
    return this.#engine;
  }

  async #onJoined(result: JoinResult): Promise<void> {
    const { room, peerId } = result;
    batch(() => {
      this.refusal.value = null;
      this.room.value = room;
      this.selfId.value = peerId;
      if (this.joinedAtMs.value === 0) this.joinedAtMs.value = Date.now();
      if (result.reset || !result.resumed) this.roster.value = rosterOf(result.peers, peerId);
    });
    if (room.ownerToken) {
      this.#token = room.ownerToken;
      this.events.emit("ownerToken", { room: room.id, token: room.ownerToken });
    }
    this.messages.onJoined(result, this.name);
    this.#engine?.outgoing.prefer(room.codecs ?? null);
    this.#notes.value = receptionsOf(result.own);
    this.views.forget();
    if (result.resumed && this.#engine) this.#engine.refresh(result.own);
    else await this.#startEngine(result);
  }

  async #startEngine(result: JoinResult): Promise<void> {
    this.#stopEngine();
    const incarnation = ++this.#incarnation;
    try {
      const engine = await Engine.start(result, this.#codec, this.#connection.request.bind(this.#connection), {
        onTracks: (tracks) => incarnation === this.#incarnation && (this.tracks.value = tracks),
        onConsumers: (consumers) => incarnation === this.#incarnation && this.#onConsumers(consumers),
        onHeld: (consumerId) => (this.#notes.value = holdBack(this.#notes.value, consumerId)),
        onMediaState: (state) => incarnation === this.#incarnation && (this.media.value = state),
        onRefused: (source, error) => this.events.emit("refused", { source, error }),
      });
      if (incarnation !== this.#incarnation || this.ending.value) return engine.stop();
      this.#engine = engine;
      // The room may have said something else while the engine started.
      engine.outgoing.prefer(this.room.value?.codecs ?? null);
      this.#bind(engine);
    } catch {
      const message = "This browser cannot take part in calls. A current Chrome, Firefox, Edge or Safari can.";
      this.#finish({ kind: "refused", reason: "incompatible_codecs", message });
    }
  }

  /** Tells the engine what is wanted, now and whenever it changes. */
  #bind(engine: Engine): void {
    const { local } = this;
    const send = (source: Source, track: MediaStreamTrack | null, on: boolean): void =>
      engine.send(source, { track, paused: !on });
    this.#disposers.push(
      effect(() => send("microphone", local.microphone.value, local.microphoneOn.value)),
      effect(() => send("camera", local.camera.value, local.cameraOn.value)),
      effect(() => {
        const track = local.screen.value;
        engine.send("screen", track && { track, paused: this.soundOnly.value });
      }),
      effect(() => {
        const track = local.screenAudio.value;
        engine.send("screen-audio", track && { track, paused: false });
      }),
      effect(() => {
        const visible = this.visible.value;
        engine.receive(planConsumers(this.roster.value, (peerId) => visible === null || visible.has(peerId), this.soundOnly.value));
      }),
    );
  }

  #onConsumers(consumers: ReadonlyMap<string, string>): void {
    this.#consumers.value = consumers;
    this.views.setConsumers(consumers);
  }

  #stopEngine(): void {
    for (const dispose of this.#disposers.splice(0)) dispose();
    this.#engine?.stop();
    this.#engine = null;
    this.tracks.value = new Map();
    this.#onConsumers(new Map());
    this.media.value = "idle";
  }

  #onNotification({ method, params }: Notification): void {
    const before = this.roster.value;
    this.roster.value = applyToRoster(before, method, params);
    this.#notes.value = applyToReceptions(this.#notes.value, method, params);
    switch (method) {
      case "peer.joined":
        return this.#announceJoined(params.peerId);
      case "peer.left":
        return this.#onPeerLeft(params, before);
      case "producer.opened":
        return this.#announcePresenting(params);
      case "producer.closed":
        return this.#onProducerClosed(params);
      case "consumer.closed":
        return this.#engine?.incoming.onConsumerClosed(params.consumerId);
      case "producer.layers":
        return this.#engine?.outgoing.onLayers(params.producerId, params);
      case "transport.state":
        return this.#engine?.onTransportState(params);
      case "chat.message":
        if (this.messages.onMessage(params)) this.events.emit("message", params);
        return undefined;
      case "speaker.active":
        this.activeSpeaker.value = params.peerId ?? null;
        return undefined;
      case "room.updated":
        return this.#onRoomUpdated(params);
      case "room.closed":
        return this.#finish({ kind: params.reason === "expired" ? "expired" : "closed" });
      case "server.draining":
        return this.events.emit("draining", { deadlineMs: params.deadline });
      default:
        return undefined;
    }
  }

  #announceJoined(peerId: string): void {
    const peer = this.roster.value.get(peerId);
    if (peer) this.events.emit("joined", peer);
  }

  #announcePresenting({ peerId, source }: Notifications["producer.opened"]): void {
    const peer = this.roster.value.get(peerId);
    if (peer && source === "screen") this.events.emit("presenting", peer);
  }

  #onPeerLeft({ peerId, reason }: Notifications["peer.left"], before: Roster): void {
    if (peerId === this.selfId.value) return this.#finish({ kind: reason === "kicked" ? "kicked" : "left" });
    const peer = before.get(peerId);
    if (peer) this.events.emit("left", { peer, reason });
  }

  #onProducerClosed({ peerId, producerId, reason }: Notifications["producer.closed"]): void {
    if (peerId !== this.selfId.value) return;
    if (reason === "worker-lost" || reason === "transport-closed") return;
    this.#engine?.outgoing.onProducerClosed(producerId);
  }

  #onRoomUpdated(settings: Notifications["room.updated"]): void {
    const { value: room } = this.room;
    if (room) this.room.value = { ...room, ...settings };
    if (settings.codecs) this.#engine?.outgoing.prefer(settings.codecs);
    if (!settings.audioOnly) return;
    void this.local.setCamera(false);
    this.local.stopScreen();
  }

  #updateSpeaking(): void {
    const levels = this.#engine?.incoming.levels() ?? new Map<string, number>();
    const self = this.selfId.value;
    if (self !== null && this.local.microphoneOn.value) levels.set(self, this.local.level.value);
    const speaking = this.#detector.update(levels, performance.now());
    if (!sameSet(speaking, this.speaking.value)) this.speaking.value = speaking;
  }

  #finish(ending: Ending): void {
    if (this.ending.value) return;
    clearInterval(this.#levelTimer);
    this.ending.value = ending;
    this.#incarnation += 1;
    this.#stopEngine();
    this.views.stop();
    void this.#connection.end();
    this.events.emit("ended", ending);
  }
}
