/**
 * JSON-RPC 2.0 over one WebSocket: requests with deadlines, notifications, and the end of the socket.
 *
 * A channel lives as long as its socket and is then thrown away; reconnecting is the business of `connection.ts`.
 */

import type { Methods, Notification } from "./wire";

/** The part of WebSocket that a channel uses. */
export interface SocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

/** The server's "no", with its stable word. */
export class RpcError extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, message: string, reason: string) {
    super(message);
    this.name = "RpcError";
    this.code = code;
    this.reason = reason;
  }
}

/** The request got no answer: the socket closed or the deadline passed. It may or may not have been carried out. */
export class UnansweredError extends Error {
  override readonly name = "UnansweredError";
}

export interface CloseInfo {
  readonly code: number;
  readonly reason: string;
}

export interface ChannelOptions {
  readonly timeoutMs: number;
  readonly onNotification: (notification: Notification) => void;
  readonly onClose: (info: CloseInfo) => void;
}

interface Pending {
  resolve(value: never): void;
  reject(error: Error): void;
  readonly timer: ReturnType<typeof setTimeout>;
}

interface Incoming {
  id?: unknown;
  method?: unknown;
  params?: unknown;
  seq?: unknown;
  result?: unknown;
  error?: { code: number; message: string; data?: { reason?: string } };
}

export class RpcChannel {
  readonly #socket: SocketLike;
  readonly #options: ChannelOptions;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #closed = false;
  #received = 0;

  /** Takes over a socket that is open. */
  constructor(socket: SocketLike, options: ChannelOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.onmessage = (event: { data: unknown }) => this.#receive(event.data);
    socket.onclose = (event: CloseInfo) => this.#end({ code: event.code, reason: event.reason });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** How many frames came so far. */
  get received(): number {
    return this.#received;
  }

  /** Requests wait for their answers. */
  get busy(): boolean {
    return this.#pending.size > 0;
  }

  request<K extends keyof Methods>(
    method: K,
    params: Methods[K]["params"],
    timeoutMs: number = this.#options.timeoutMs,
  ): Promise<Methods[K]["result"]> {
    if (this.#closed) return Promise.reject(new UnansweredError(`${method}: the connection is closed`));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new UnansweredError(`${method}: no answer in ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(id, { resolve, reject, timer });
      this.#socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  /** Closes the socket; what is unanswered fails at once, without waiting for the peer's close. */
  close(code = 1000, reason = ""): void {
    if (this.#closed) return;
    this.#socket.close(code, reason);
    this.#end({ code, reason });
  }

  #receive(data: unknown): void {
    if (this.#closed || typeof data !== "string") return;
    this.#received += 1;
    let message: Incoming;
    try {
      message = JSON.parse(data) as Incoming;
    } catch {
      return;
    }
    if (typeof message.method === "string") {
      this.#options.onNotification(message as Notification);
    } else if (typeof message.id === "number") {
      this.#answer(message.id, message);
    }
  }

  #answer(id: number, message: Incoming): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    if (message.error) {
      const { code, message: text, data } = message.error;
      pending.reject(new RpcError(code, text, data?.reason ?? "internal"));
    } else {
      pending.resolve(message.result as never);
    }
  }

  #end(info: CloseInfo): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const [, pending] of this.#pending) {
      clearTimeout(pending.timer);
      pending.reject(new UnansweredError("the connection closed"));
    }
    this.#pending.clear();
    this.#options.onClose(info);
  }
}
