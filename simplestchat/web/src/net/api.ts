/** The HTTP API: public rooms, and the rooms one made. */

import type { RoomCreate, RoomMade, RoomPage, RoomUpdate, RoomView } from "../protocol";

export type { RoomView } from "../protocol";
export type RoomChanges = Pick<RoomUpdate, "name" | "public" | "locked" | "audioOnly">;

/** The server's "no" (with its stable word), or no answer at all (`unreachable`). */
export class ApiError extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.name = "ApiError";
    this.reason = reason;
  }
}

const TIMEOUT_MS = 10_000;

interface Failure {
  readonly error?: { readonly message?: string; readonly data?: { readonly reason?: string } };
}

async function failure(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as Failure;
  const byStatus = response.status === 404 ? "not_found" : response.status === 429 ? "rate_limited" : "internal";
  const reason = body.error?.data?.reason ?? byStatus;
  return new ApiError(reason, body.error?.message ?? `The server answered ${response.status}.`);
}

async function call<T>(method: string, path: string, options: { body?: unknown; token?: string } = {}): Promise<T> {
  const headers = new Headers({ Accept: "application/json" });
  if (options.body !== undefined) headers.set("Content-Type", "application/json");
  if (options.token !== undefined) headers.set("Authorization", `Bearer ${options.token}`);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      cache: "no-store",
    });
  } catch {
    throw new ApiError("unreachable", "The server cannot be reached. Check your connection and try again.");
  }
  if (!response.ok) throw await failure(response);
  const text = await response.text();
  return (text === "" ? {} : JSON.parse(text)) as T;
}

const roomPath = (id: string): string => `/api/rooms/${encodeURIComponent(id)}`;

export function listRooms(query: string, cursor: string | null): Promise<RoomPage> {
  const parameters = new URLSearchParams({ ...(query && { query }), ...(cursor === null ? {} : { cursor }) });
  return call("GET", `/api/rooms?${parameters}`);
}

export function makeRoom(settings: RoomCreate): Promise<RoomMade> {
  return call("POST", "/api/rooms", { body: settings });
}

/** The room with this id, or `null` when it is not there (yet, or any more). */
export async function findRoom(id: string): Promise<RoomView | null> {
  const page = await call<RoomPage>("GET", `/api/rooms?${new URLSearchParams({ id })}`);
  return page.rooms[0] ?? null;
}

export function changeRoom(id: string, token: string, changes: RoomChanges): Promise<RoomView> {
  return call("PATCH", roomPath(id), { body: changes, token });
}

export async function closeRoom(id: string, token: string): Promise<void> {
  await call("DELETE", roomPath(id), { token });
}
