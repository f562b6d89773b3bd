/**
 * What the server says and takes about adapting media, beyond the generated types. Every field may be absent: a server that
 * does not know them leaves the page as it is without them.
 */

import type { Nothing, Notices, RtpCapabilities } from "../protocol";

/** How large a picture is shown, in device pixels; 0 × 0 while nobody can see it. */
export interface ConsumerView {
  readonly consumerId: string;
  readonly width: number;
  readonly height: number;
}

/** Codecs that the room prefers, the best first. */
export interface RoomCodecs {
  codecs?: string[];
}

export interface AddedMethods {
  "room.join": { params: { rtpCapabilities?: RtpCapabilities }; result: unknown };
  "consumer.create": { params: unknown; result: { spatialLayers?: number; temporalLayers?: number } };
  "consumer.setViews": { params: { views: readonly ConsumerView[] }; result: Nothing };
}

export interface AddedNotices {
  /** Which layers anyone takes: by encoding, or up to which layer of the one encoding. */
  "producer.layers": { producerId: string; encodings?: readonly boolean[]; maxSpatialLayer?: number | null };
  "consumer.layers": { consumerId: string; spatialLayer?: number | null; temporalLayer?: number | null; reason?: string };
  "consumer.paused": { consumerId: string; reason?: string };
  "room.updated": Notices["room.updated"] & RoomCodecs;
}
