import type { Device, types } from "mediasoup-client";
import type { Request } from "../src/call/link";
import { RpcError, UnansweredError } from "../src/net/rpc";
import type { OwnMedia } from "../src/net/wire";

type Params = Record<string, unknown>;
type Listener = (...args: never[]) => void;

interface Held {
  readonly transportId: string;
  readonly of: string;
  paused: boolean;
}

/** The browser's side of a transport: connects at the first need, as mediasoup-client does. */
export class TestTransport {
  closed = false;
  connectionState: types.ConnectionState = "new";
  readonly #listeners = new Map<string, Listener>();
  #connected = false;

  constructor(
    readonly id: string,
    /** What making a producer or consumer waits for, after the server has answered. */
    readonly work: () => Promise<void>,
  ) {}

  on(event: string, listener: Listener): void {
    this.#listeners.set(event, listener);
  }

  become(state: types.ConnectionState): void {
    this.connectionState = state;
    this.#listeners.get("connectionstatechange")?.(state as never);
  }

  close(): void {
    this.closed = true;
    this.connectionState = "closed";
  }

  async restartIce(): Promise<void> {}

  async produce({ track, appData }: { track: MediaStreamTrack; appData: object }): Promise<object> {
    await this.#connect();
    const described = { kind: track.kind, rtpParameters: {}, appData };
    const { id } = await this.#ask<{ id: string }>("produce", described);
    await this.#finish();
    return { id, kind: track.kind, track, close: () => undefined };
  }

  async consume(created: { id: string }): Promise<object> {
    await this.#connect();
    await this.#finish();
    return { ...created, kind: "video", track: created.id, close: () => undefined };
  }

  async #connect(): Promise<void> {
    if (!this.#connected) await this.#ask("connect", { dtlsParameters: {} });
    this.#connected = true;
  }

  async #finish(): Promise<void> {
    await this.work();
    if (this.closed) throw new Error("closed");
  }

  #ask<T>(event: string, what: object): Promise<T> {
    return new Promise<T>((done, failed) => this.#listeners.get(event)?.(...([what, done, failed] as never[])));
  }
}

/** A server that holds one page's media, and that page's browser. */
export class MediaWorld {
  readonly asked: string[] = [];
  readonly transports = new Map<string, { readonly direction: "send" | "recv"; connected: boolean }>();
  readonly producers = new Map<string, Held>();
  readonly consumers = new Map<string, Held>();
  readonly made: TestTransport[] = [];
  /** Carried out, but the answer to the next request of this method is lost. */
  readonly losing = new Set<string>();
  /** The next requests of this method are refused with these words. */
  readonly refusals = new Map<string, string[]>();
  /** How long an answer takes. */
  delayMs = 0;
  running = 0;
  most = 0;
  work: () => Promise<void> = async () => undefined;
  #number = 0;

  readonly request = (async (method: string, params: Params) => {
    this.asked.push(`${method} ${String(params.transportId ?? params.producerId ?? params.consumerId ?? "")}`.trim());
    this.most = Math.max(this.most, ++this.running);
    try {
      if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
      const refusal = this.refusals.get(method)?.shift();
      if (refusal) throw new RpcError(4000, `no: ${refusal}`, refusal);
      const answer = this.#carryOut(method, params);
      if (this.losing.delete(method)) throw new UnansweredError("the connection closed");
      return answer;
    } finally {
      this.running -= 1;
    }
  }) as unknown as Request;

  readonly device = {
    recvRtpCapabilities: {},
    createSendTransport: ({ id }: { id: string }) => this.#transport(id),
    createRecvTransport: ({ id }: { id: string }) => this.#transport(id),
  } as unknown as Device;

  get context() {
    return { device: this.device, request: this.request, iceServers: [] };
  }

  /** The transport that was made last. */
  get latest(): TestTransport {
    const last = this.made.at(-1);
    if (!last) throw new Error("no transport was made");
    return last;
  }

  own(): OwnMedia {
    return {
      transports: [...this.transports].map(([transportId, { direction }]) => ({ transportId, direction, state: "connected" })),
      producers: [...this.producers].map(([producerId, { transportId, paused }]) => ({ producerId, transportId, paused, encodings: [true] })),
      consumers: [...this.consumers].map(([consumerId, { transportId, paused, of }]) => {
        return { consumerId, producerId: of, transportId, paused, held: false };
      }),
    };
  }

  #transport(id: string): TestTransport {
    this.made.push(new TestTransport(id, () => this.work()));
    return this.latest;
  }

  #carryOut(method: string, params: Params): unknown {
    const id = String(params.transportId ?? params.producerId ?? params.consumerId ?? "");
    const [thing, verb] = method.split(".");
    const held = { transport: this.transports, producer: this.producers, consumer: this.consumers }[thing as "transport" | "producer" | "consumer"];
    if (verb === "create") return { id: this.#create(thing as string, params) };
    if (!held.has(id)) throw new RpcError(4005, `no such ${thing}`, "not_found");
    if (verb === "connect") return this.#connect(id);
    if (verb === "pause" || verb === "resume") (held.get(id) as Held).paused = verb === "pause";
    if (verb !== "close") return {};
    held.delete(id);
    for (const on of [this.producers, this.consumers]) for (const [key, one] of on) if (one.transportId === id) on.delete(key);
    return {};
  }

  #create(thing: string, params: Params): string {
    const id = `${thing[0]}${this.#number++}`;
    if (thing === "transport") {
      this.transports.set(id, { direction: params.direction as "send" | "recv", connected: false });
      return id;
    }
    const held = { transportId: String(params.transportId), of: String(params.producerId ?? ""), paused: params.paused === true };
    (thing === "producer" ? this.producers : this.consumers).set(id, held);
    return id;
  }

  #connect(id: string): unknown {
    const transport = this.transports.get(id);
    if (transport?.connected) throw new RpcError(4013, "connected already", "conflict");
    if (transport) transport.connected = true;
    return {};
  }
}
