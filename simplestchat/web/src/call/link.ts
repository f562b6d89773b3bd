/**
 * One WebRTC transport and its health.
 *
 * A path that breaks is first repaired by an ICE restart (same keys, nothing is negotiated again). When that brings nothing
 * in time, fails, or the server says `failed` (its worker is gone), the link is `lost`: its owner throws it away and builds
 * another. A restart that the server has not answered is asked for again.
 */

import type { Device, types } from "mediasoup-client";
import { RpcError, UnansweredError } from "../net/rpc";
import type { Methods, Notifications, OwnMedia } from "../net/wire";

export type Request = <K extends keyof Methods>(method: K, params: Methods[K]["params"]) => Promise<Methods[K]["result"]>;
export type Direction = "send" | "recv";

/** A short gap heals by itself more often than not. */
const DISCONNECTED_GRACE_MS = 1_500;
/** How long an ICE restart may take before everything is built anew. */
const RESTART_DEADLINE_MS = 4_000;
/** The wait after a restart that was not answered; the deadline of its answer has passed by then. */
const RESTART_AGAIN_MS = 2_000;

/** Waits between attempts: a worker that died is replaced within about two seconds, and nobody should wait much longer. */
export const RETRY = { firstMs: 250, capMs: 1_500 } as const;

export interface LinkContext {
  readonly device: Device;
  readonly request: Request;
  readonly iceServers: RTCIceServer[];
}

export interface LinkObserver {
  /** The transport's state changed. */
  onState(state: types.ConnectionState): void;
  /** The transport is of no use any more; the server may still hold its side, or has said that it does not. */
  onLost(held: boolean): void;
}

export class Link {
  readonly transport: types.Transport;
  readonly #request: Request;
  readonly #observer: LinkObserver;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #restarting = false;
  /** The network changed while the server could not be asked for new credentials. */
  #stale = false;

  private constructor(transport: types.Transport, request: Request, observer: LinkObserver) {
    this.transport = transport;
    this.#request = request;
    this.#observer = observer;
    transport.on("connect", ({ dtlsParameters }, done, failed) => {
      request("transport.connect", { transportId: transport.id, dtlsParameters }).then(
        () => done(),
        // Asked again because an answer was lost: nobody else knows the id, and the certificate was the same then.
        (error: Error) => (error instanceof RpcError && error.reason === "conflict" ? done() : failed(error)),
      );
    });
    transport.on("connectionstatechange", (state) => this.#onState(state));
  }

  /** Asks the server for a transport and makes its counterpart here. */
  static async open(direction: Direction, context: LinkContext, observer: LinkObserver): Promise<Link> {
    const { device, request, iceServers } = context;
    const created = await request("transport.create", { direction });
    const options = { ...created, iceServers };
    const transport = direction === "send" ? device.createSendTransport(options) : device.createRecvTransport(options);
    return new Link(transport, request, observer);
  }

  /** What the server says about its side. */
  onServerState(state: Notifications["transport.state"]["state"]): void {
    if (state === "failed") this.#lose(false);
    else if (state === "disconnected") void this.#restart();
  }

  /** The signaling is back after a gap: anything that could not be repaired meanwhile is repaired now. */
  check(own: OwnMedia): void {
    if (!own.transports.some(({ transportId }) => transportId === this.transport.id)) return this.#lose(false);
    const state = this.transport.connectionState;
    if (this.#stale || state === "disconnected" || state === "failed") void this.#restart();
  }

  /** The device is on another network: the path is renewed before it is known to be broken. */
  renew(): void {
    if (this.transport.connectionState === "new") return;
    this.#stale = true;
    void this.#restart();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.transport.close();
  }

  #onState(state: types.ConnectionState): void {
    this.#observer.onState(state);
    if (state === "connected") {
      clearTimeout(this.#timer);
    } else if (state === "disconnected" && !this.#restarting) {
      this.#restartLater(DISCONNECTED_GRACE_MS);
    } else if (state === "failed") {
      void this.#restart();
    }
  }

  async #restart(): Promise<void> {
    if (this.#restarting || this.transport.closed) return;
    this.#restarting = true;
    clearTimeout(this.#timer);
    try {
      const { iceParameters } = await this.#request("transport.restartIce", { transportId: this.transport.id });
      await this.transport.restartIce({ iceParameters });
      this.#stale = false;
      this.#timer = setTimeout(() => this.#loseUnlessConnected(), RESTART_DEADLINE_MS);
    } catch (error) {
      // The path is still broken, on a living socket too; on another one `check()` may come first.
      if (error instanceof UnansweredError) this.#restartLater(RESTART_AGAIN_MS);
      else this.#lose(true);
    } finally {
      this.#restarting = false;
    }
  }

  #restartLater(waitMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#restart(), waitMs);
  }

  #loseUnlessConnected(): void {
    if (this.transport.connectionState !== "connected") this.#lose(true);
  }

  #lose(held: boolean): void {
    if (this.transport.closed) return;
    this.close();
    this.#observer.onLost(held);
  }
}
