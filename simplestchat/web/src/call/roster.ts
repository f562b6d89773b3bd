/** Who is in the room and what they send: a value, and how each notification changes it. No side effects. */

import type { Notifications, PeerInfo, ProducerInfo, Role, Source } from "../net/wire";

export interface Producer {
  readonly id: string;
  readonly kind: "audio" | "video";
  readonly source: Source;
  readonly paused: boolean;
}

export interface Peer {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly producers: ReadonlyMap<string, Producer>;
}

/** The others in the room, in the order they came. */
export type Roster = ReadonlyMap<string, Peer>;

function fromProducer(info: ProducerInfo): Producer {
  return { id: info.producerId, kind: info.kind, source: info.source, paused: info.paused };
}

function fromPeer(info: PeerInfo): Peer {
  const producers = new Map(info.producers.map((producer) => [producer.producerId, fromProducer(producer)]));
  return { id: info.peerId, name: info.name, role: info.role, producers };
}

/** The roster of a snapshot, without oneself. */
export function rosterOf(peers: readonly PeerInfo[], ownId: string): Roster {
  return new Map(
    peers
      .filter((peer) => peer.peerId !== ownId)
      .map((peer) => [peer.peerId, fromPeer(peer)]),
  );
}

function withPeer(roster: Roster, peer: Peer): Roster {
  return new Map(roster).set(peer.id, peer);
}

function withProducers(roster: Roster, peer: Peer, change: (producers: Map<string, Producer>) => void): Roster {
  const producers = new Map(peer.producers);
  change(producers);
  return withPeer(roster, { ...peer, producers });
}

/** The peer that owns a producer. */
export function ownerOf(roster: Roster, producerId: string): Peer | undefined {
  for (const peer of roster.values()) if (peer.producers.has(producerId)) return peer;
  return undefined;
}

function setPaused(roster: Roster, producerId: string, paused: boolean): Roster {
  const peer = ownerOf(roster, producerId);
  const producer = peer?.producers.get(producerId);
  if (!peer || !producer || producer.paused === paused) return roster;
  return withProducers(roster, peer, (producers) => producers.set(producerId, { ...producer, paused }));
}

function joined(roster: Roster, params: Notifications["peer.joined"]): Roster {
  return withPeer(roster, fromPeer(params));
}

function left(roster: Roster, peerId: string): Roster {
  const next = new Map(roster);
  next.delete(peerId);
  return next;
}

function opened(roster: Roster, params: Notifications["producer.opened"]): Roster {
  const peer = roster.get(params.peerId);
  if (!peer) return roster;
  const producer: Producer = { id: params.producerId, kind: params.kind, source: params.source, paused: params.paused };
  return withProducers(roster, peer, (producers) => producers.set(producer.id, producer));
}

function closed(roster: Roster, producerId: string): Roster {
  const peer = ownerOf(roster, producerId);
  return peer ? withProducers(roster, peer, (producers) => producers.delete(producerId)) : roster;
}

/** The roster after a notification; the very same object when nothing in it changed. */
export function applyToRoster<K extends keyof Notifications>(roster: Roster, method: K, params: Notifications[K]): Roster {
  const value = params as never;
  switch (method) {
    case "peer.joined":
      return joined(roster, value);
    case "peer.left":
      return roster.has((value as Notifications["peer.left"]).peerId) ? left(roster, (value as Notifications["peer.left"]).peerId) : roster;
    case "producer.opened":
      return opened(roster, value);
    case "producer.closed":
      return closed(roster, (value as Notifications["producer.closed"]).producerId);
    case "producer.paused":
      return setPaused(roster, (value as Notifications["producer.paused"]).producerId, true);
    case "producer.resumed":
      return setPaused(roster, (value as Notifications["producer.resumed"]).producerId, false);
    default:
      return roster;
  }
}

/** What a peer sends from a source; the newest when an old one is still being taken down. */
export function producerOf(peer: Peer, source: Source): Producer | undefined {
  let found: Producer | undefined;
  for (const producer of peer.producers.values()) if (producer.source === source) found = producer;
  return found;
}
