/** What the server says about each stream that it sends us: which layers, and why nothing comes. Values, no side effects. */

import type { Notifications, OwnMedia } from "../net/wire";

export interface Reception {
  /** The layers that are sent now; `null` while they are not known or none is. */
  readonly spatialLayer: number | null;
  readonly temporalLayer: number | null;
  /** The server's word for why it is these layers. */
  readonly reason: string;
  /** Why no picture comes, when none does. */
  readonly held: Held | null;
}

/** `last-n`: only who spoke lately is shown; `bandwidth`: not even the smallest picture fits. */
export type Held = "last-n" | "bandwidth" | "server";

const UNKNOWN: Reception = { spatialLayer: null, temporalLayer: null, reason: "", held: null };
/** Words about the consumer may come before the consumer does; more are not kept. */
const MOST = 512;
/** Words of the server that mean that the network is too thin. */
const THIN = /bandwidth|overuse|network/;

type Notes = ReadonlyMap<string, Reception>;

/** By consumer, after a notification; the very same object when it says nothing of this. */
export function applyToReceptions<K extends keyof Notifications>(notes: Notes, method: K, params: Notifications[K]): Notes {
  const value = params as never;
  switch (method) {
    case "consumer.layers":
      return withLayers(notes, value);
    case "consumer.paused":
      return withHeld(notes, (value as Notifications["consumer.paused"]).consumerId, pausedBy(value));
    case "consumer.resumed":
      return withHeld(notes, (value as Notifications["consumer.resumed"]).consumerId, null);
    case "consumer.closed":
      return without(notes, (value as Notifications["consumer.closed"]).consumerId);
    default:
      return notes;
  }
}

/** By consumer, as the server tells whoever comes back. */
export function receptionsOf(own: OwnMedia): Notes {
  return new Map(
    own.consumers.map(({ consumerId, spatialLayer = null, temporalLayer = null, held }) => {
      return [consumerId, { ...UNKNOWN, spatialLayer, temporalLayer, held: held ? ("last-n" as const) : null }];
    }),
  );
}

/** A consumer that is held back from its beginning. */
export function holdBack(notes: Notes, consumerId: string): Notes {
  return withHeld(notes, consumerId, "last-n");
}

function pausedBy({ reason }: Notifications["consumer.paused"]): Held {
  return reason === "last-n" || reason === "bandwidth" ? reason : "server";
}

function withNote(notes: Notes, consumerId: string, change: Partial<Reception>): Notes {
  const next = new Map(notes);
  next.set(consumerId, { ...(notes.get(consumerId) ?? UNKNOWN), ...change });
  for (const oldest of next.keys()) {
    if (next.size <= MOST) break;
    next.delete(oldest);
  }
  return next;
}

function withHeld(notes: Notes, consumerId: string, held: Held | null): Notes {
  if ((notes.get(consumerId)?.held ?? null) === held) return notes;
  return withNote(notes, consumerId, { held });
}

function withLayers(notes: Notes, { consumerId, spatialLayer, temporalLayer, reason = "" }: Notifications["consumer.layers"]): Notes {
  const spatial = spatialLayer !== undefined && spatialLayer !== null && spatialLayer >= 0 ? spatialLayer : null;
  const temporal = spatial !== null && temporalLayer !== undefined && temporalLayer !== null && temporalLayer >= 0 ? temporalLayer : null;
  const before = notes.get(consumerId)?.held ?? null;
  const starved = spatial === null && THIN.test(reason.toLowerCase());
  const held = starved ? "bandwidth" : before === "bandwidth" ? null : before;
  return withNote(notes, consumerId, { spatialLayer: spatial, temporalLayer: temporal, reason, held });
}

function without(notes: Notes, consumerId: string): Notes {
  if (!notes.has(consumerId)) return notes;
  const next = new Map(notes);
  next.delete(consumerId);
  return next;
}

/** By producer, as far as there are consumers. */
export function receptionsByProducer(notes: Notes, consumers: ReadonlyMap<string, string>): Map<string, Reception> {
  const found = new Map<string, Reception>();
  for (const [producerId, consumerId] of consumers) {
    const reception = notes.get(consumerId);
    if (reception) found.set(producerId, reception);
  }
  return found;
}
