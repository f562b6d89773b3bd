/**
 * A person's place in a room, kept through broken sockets.
 *
 * States: `connecting` → `joined` ⇄ `reconnecting` → `ended`. Every lost socket is replaced after a jittered wait and joins
 * again with the resume token: the server either hands out what was missed or says `reset` with a whole snapshot. Only a
 * refusal that waiting cannot mend, or `end()`, leads to `ended`.
 */

import { Backoff } from "../lib/backoff";
import { Emitter } from "../lib/emitter";
import { RpcChannel, RpcError, type CloseInfo, type SocketLike, UnansweredError } from "./rpc";
import type { JoinParams, JoinResult, Methods, Notification } from "./wire";

export type ConnectionState = "connecting" | "joined" | "reconnecting" | "ended";

/** Refusals that another try will not change. */
const FINAL_REASONS: ReadonlySet<string> = new Set([
  "room_full",
  "room_locked",
  "wrong_password",
  "forbidden",
  "banned",
  "not_found",
  "incompatible_codecs",
  "invalid_params",
]);

const REQUEST_TIMEOUT_MS = 10_000;
/** The server drops a silent socket after 30 s; a dead path should be noticed sooner than a person loses patience. */
const PING_EVERY_MS = 8_000;
const PING_TIMEOUT_MS = 5_000;
/** The server answers one after another: a ping behind a request for a transport waits until a new media worker is there. */
const PING_BUSY_TIMEOUT_MS = 12_000;
const OPEN_TIMEOUT_MS = 8_000;

export interface ConnectionOptions {
  /** Opens a new socket. */
  readonly open: () => SocketLike;
  /** The parameters of `room.join`, without the resume token. */
  readonly join: () => JoinParams;
  readonly backoff?: Backoff;
}

/** The server's "no": its stable word and its message. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

export interface ConnectionEvents {
  state: ConnectionState;
  joined: JoinResult;
  /** Each once and in the room's order, those missed in a gap included. */
  notification: Notification;
  /** The server will not have us. */
  refused: Refusal;
  /** The wait until the next attempt; with a refusal when the server was reached and said no for now. */
  waiting: { delayMs: number; attempt: number; refusal: Refusal | null };
}

export class Connection {
  readonly events = new Emitter<ConnectionEvents>();
  readonly #options: ConnectionOptions;
  readonly #backoff: Backoff;
  #state: ConnectionState = "connecting";
  #channel: RpcChannel | null = null;
  #opening: SocketLike | null = null;
  #resume: { resume: string; lastSeq: number } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#backoff = options.backoff ?? new Backoff({ firstMs: 600, capMs: 10_000 });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  start(): void {
    this.#connect();
  }

  request<K extends keyof Methods>(method: K, params: Methods[K]["params"]): Promise<Methods[K]["result"]> {
    if (this.#channel === null || this.#state !== "joined") {
      return Promise.reject(new UnansweredError(`${method}: not connected`));
    }
    return this.#channel.request(method, params);
  }

  /** Tries at once instead of waiting: the network came back or the person asked for it. */
  hurry(): void {
    if (this.#state === "joined") void this.#ping();
    else if (this.#state !== "ended" && this.#timer !== undefined) this.#connect();
  }

  /** Ends for good; the server is told when it can be reached. */
  async end(): Promise<void> {
    if (this.#state === "ended") return;
    const channel = this.#channel;
    const polite = this.#state === "joined";
    this.#setState("ended");
    this.#clearTimer();
    this.#abandonOpening();
    if (channel && polite) await channel.request("room.leave", {}, 1_000).catch(() => undefined);
    channel?.close();
    this.#channel = null;
  }

  #setState(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.events.emit("state", state);
  }

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #abandonOpening(): void {
    const socket = this.#opening;
    this.#opening = null;
    if (socket === null) return;
    socket.onopen = null;
    socket.onclose = null;
    socket.close();
  }

  #connect(): void {
    this.#clearTimer();
    this.#abandonOpening();
    let socket: SocketLike;
    try {
      socket = this.#options.open();
    } catch {
      this.#retryLater();
      return;
    }
    this.#opening = socket;
    const failed = (): void => {
      this.#abandonOpening();
      this.#retryLater();
    };
    socket.onclose = failed;
    this.#timer = setTimeout(failed, OPEN_TIMEOUT_MS);
    socket.onopen = () => {
      this.#opening = null;
      this.#clearTimer();
      void this.#join(socket);
    };
  }

  async #join(socket: SocketLike): Promise<void> {
    const channel: RpcChannel = new RpcChannel(socket, {
      timeoutMs: REQUEST_TIMEOUT_MS,
      onNotification: this.#onNotification,
      onClose: (info) => this.#onClose(channel, info),
    });
    this.#channel = channel;
    try {
      const result = await channel.request("room.join", { ...this.#options.join(), ...this.#resume });
      if (this.#channel !== channel) return;
      this.#onJoined(result);
    } catch (error) {
      if (this.#channel !== channel) return;
      if (error instanceof RpcError && FINAL_REASONS.has(error.reason)) return this.#refuse(error);
      this.#channel = null;
      channel.close();
      this.#retryLater(error instanceof RpcError ? { reason: error.reason, message: error.message } : null);
    }
  }

  #onJoined(result: JoinResult): void {
    const lastSeq = result.reset || this.#resume === null ? result.seq : this.#resume.lastSeq;
    this.#resume = { resume: result.resumeToken, lastSeq };
    this.#backoff.reset();
    this.#setState("joined");
    this.events.emit("joined", result);
    for (const missed of result.missed) this.#onNotification(missed);
    this.#schedulePing();
  }

  #refuse(error: RpcError): void {
    this.#setState("ended");
    this.#clearTimer();
    this.#channel?.close();
    this.#channel = null;
    this.events.emit("refused", { reason: error.reason, message: error.message });
  }

  readonly #onNotification = (notification: Notification): void => {
    const { seq } = notification;
    if (seq !== undefined && this.#resume !== null) {
      if (seq <= this.#resume.lastSeq) return;
      this.#resume = { ...this.#resume, lastSeq: seq };
    }
    this.events.emit("notification", notification);
  };

  #onClose(channel: RpcChannel, _info: CloseInfo): void {
    if (this.#channel !== channel) return;
    this.#channel = null;
    this.#retryLater();
  }

  #retryLater(refusal: Refusal | null = null): void {
    if (this.#state === "ended") return;
    if (this.#state === "joined") this.#setState("reconnecting");
    const delayMs = this.#backoff.next();
    this.#clearTimer();
    this.#timer = setTimeout(() => this.#connect(), delayMs);
    this.events.emit("waiting", { delayMs, attempt: this.#backoff.attempts, refusal });
  }

  #schedulePing(): void {
    this.#clearTimer();
    this.#timer = setTimeout(() => void this.#ping(), PING_EVERY_MS);
  }

  async #ping(): Promise<void> {
    const channel = this.#channel;
    if (channel === null) return;
    const before = channel.received;
    const patienceMs = channel.busy ? PING_BUSY_TIMEOUT_MS : PING_TIMEOUT_MS;
    const isAnswered = await channel.request("ping", {}, patienceMs).then(
      () => true,
      (error: unknown) => error instanceof RpcError,
    );
    if (this.#channel !== channel || this.#state !== "joined") return;
    if (isAnswered) this.#schedulePing();
    else if (channel.received > before) void this.#ping();
    else channel.close();
  }
}
