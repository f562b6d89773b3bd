/**
 * The media of one incarnation in a room: a Device, what goes out and what comes in. Knows nothing of the DOM.
 *
 * After a `reset` the whole engine is thrown away and a new one is started; what is wanted is told to it again.
 */

import { Device } from "mediasoup-client";
import type { types } from "mediasoup-client";
import type { RpcError } from "../net/rpc";
import type { JoinResult, Notifications, OwnMedia, Source } from "../net/wire";
import type { CodecName } from "./codecs";
import { deviceFacts } from "./device";
import { Incoming } from "./incoming";
import type { Request } from "./link";
import { Outgoing, type Sending } from "./outgoing";
import type { Wanted } from "./plan";
import { Recipes } from "./recipes";

export type MediaState = "idle" | "connecting" | "connected" | "recovering";

export interface EngineObserver {
  onTracks(tracks: ReadonlyMap<string, MediaStreamTrack>): void;
  onConsumers(consumers: ReadonlyMap<string, string>): void;
  onHeld(consumerId: string): void;
  onMediaState(state: MediaState): void;
  onRefused(source: Source, error: RpcError): void;
}

export class Engine {
  readonly outgoing: Outgoing;
  readonly incoming: Incoming;
  readonly recipes: Recipes;
  readonly #states: Record<"send" | "recv", types.ConnectionState | null> = { send: null, recv: null };
  readonly #observer: EngineObserver;
  #everConnected = false;

  private constructor(device: Device, recipes: Recipes, request: Request, iceServers: RTCIceServer[], observer: EngineObserver) {
    this.#observer = observer;
    this.recipes = recipes;
    const context = { device, request, iceServers };
    this.outgoing = new Outgoing(context, recipes, {
      onState: (state) => this.#onState("send", state),
      onRefused: (source, error) => observer.onRefused(source, error),
    });
    this.incoming = new Incoming(context, {
      onState: (state) => this.#onState("recv", state),
      onTracks: (tracks) => observer.onTracks(tracks),
      onConsumers: (consumers) => observer.onConsumers(consumers),
      onHeld: (consumerId) => observer.onHeld(consumerId),
    });
  }

  /** `codec` is what a developer insists on, whatever the room prefers. */
  static async start(joined: JoinResult, codec: CodecName | null, request: Request, observer: EngineObserver): Promise<Engine> {
    const device = await Device.factory();
    const [facts] = await Promise.all([deviceFacts(), device.load({ routerRtpCapabilities: joined.rtpCapabilities })]);
    const recipes = new Recipes(device, facts, joined.room.codecs ?? null, codec);
    return new Engine(device, recipes, request, joined.iceServers, observer);
  }

  send(source: Source, sending: Sending | null): void {
    this.outgoing.want(source, sending);
  }

  receive(wanted: ReadonlyMap<string, Wanted>): void {
    this.incoming.want(wanted);
  }

  /** The signaling is back after a gap; `own` is what the server still holds of ours. */
  refresh(own: OwnMedia): void {
    this.outgoing.refresh(own);
    this.incoming.refresh(own);
  }

  /** The device is on another network. */
  onNetworkChange(): void {
    this.outgoing.onNetworkChange();
    this.incoming.onNetworkChange();
  }

  onTransportState({ transportId, state }: Notifications["transport.state"]): void {
    this.outgoing.onServerState(transportId, state);
    this.incoming.onServerState(transportId, state);
  }

  stop(): void {
    this.outgoing.stop();
    this.incoming.stop();
  }

  #onState(direction: "send" | "recv", state: types.ConnectionState): void {
    this.#states[direction] = state;
    const states = Object.values(this.#states).filter((known) => known !== null && known !== "new");
    const connected = states.length > 0 && states.every((known) => known === "connected");
    if (connected) this.#everConnected = true;
    this.#observer.onMediaState(connected ? "connected" : this.#everConnected ? "recovering" : "connecting");
  }
}
