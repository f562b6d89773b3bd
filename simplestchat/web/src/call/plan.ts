/** Which of the others' streams to receive. Pure: the roster and what is on screen in, a bounded list out. */

import type { Producer, Roster } from "./roster";

export interface Wanted {
  readonly peerId: string;
  readonly producer: Producer;
  /** The server should not send it now: nobody looks at it. */
  readonly paused: boolean;
}

/** The server allows 256 consumers a connection; some are left for those on their way out. */
export const MAX_CONSUMERS = 240;

/** Lower comes first: screens, voices, pictures on the page, then what is silent or out of sight. */
function rank(producer: Producer, visible: boolean): number {
  if (producer.source === "screen" || producer.source === "screen-audio") return 0;
  if (producer.kind === "audio") return producer.paused ? 3 : 1;
  return visible ? 2 : 4;
}

/** Everything that is sent, as far as it may be received; pictures that are not on screen are paused, all of them with `soundOnly`. */
export function planConsumers(roster: Roster, isVisible: (peerId: string) => boolean, soundOnly = false): Map<string, Wanted> {
  const all: { wanted: Wanted; rank: number }[] = [];
  for (const peer of roster.values()) {
    const visible = isVisible(peer.id);
    for (const producer of peer.producers.values()) {
      const paused = producer.kind === "video" && (soundOnly || (producer.source === "camera" && !visible));
      all.push({ wanted: { peerId: peer.id, producer, paused }, rank: rank(producer, visible) });
    }
  }
  all.sort((a, b) => a.rank - b.rank);
  return new Map(all.slice(0, MAX_CONSUMERS).map(({ wanted }) => [wanted.producer.id, wanted]));
}
