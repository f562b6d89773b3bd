import type { SocketLike } from "../src/net/rpc";

interface Sent {
  readonly id: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** The client's half of a socket whose other half is the test. */
export class TestSocket implements SocketLike {
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  readonly sent: Sent[] = [];
  closed = false;

  send(data: string): void {
    this.sent.push(JSON.parse(data) as Sent);
  }

  close(): void {
    this.closed = true;
  }

  open(): void {
    this.onopen?.({} as never);
  }

  /** The server sends something. */
  receive(message: unknown): void {
    this.onmessage?.({ data: typeof message === "string" ? message : JSON.stringify(message) } as never);
  }

  /** The server answers the last request of a method. */
  answer(method: string, result: unknown): void {
    this.receive({ jsonrpc: "2.0", id: this.last(method).id, result });
  }

  refuse(method: string, reason: string): void {
    this.receive({ jsonrpc: "2.0", id: this.last(method).id, error: { code: 4000, message: `no: ${reason}`, data: { reason } } });
  }

  /** The network takes the socket away. */
  drop(): void {
    this.onclose?.({ code: 1006, reason: "" } as never);
  }

  last(method: string): Sent {
    const request = this.sent.findLast((sent) => sent.method === method);
    if (!request) throw new Error(`${method} was not sent`);
    return request;
  }
}
