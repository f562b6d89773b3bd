/**
 * What the server says and takes about adapting media, beyond the generated types. Every field may be absent: a server that
 * does not know them leaves the page as it is without them.
 */

import type { Nothing, Notices, OwnConsumer, OwnMedia, OwnProducer, RtpCapabilities } from "../protocol";

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

/** Which layers anyone takes: by encoding, and up to which layer of the one encoding. */
export interface LayersTaken {
  encodings?: readonly boolean[];
  maxSpatialLayer?: number | null;
}

/** What of a stream comes, and whether the server holds it back. */
interface Received {
  held?: boolean;
  spatialLayer?: number | null;
  temporalLayer?: number | null;
}

/** What the server still holds of a page that came back, with what it said of it last. */
export type OwnMediaNow = Omit<OwnMedia, "producers" | "consumers"> & {
  producers: (OwnProducer & LayersTaken)[];
  consumers: (OwnConsumer & Received)[];
};

export interface AddedMethods {
  "room.join": { params: { rtpCapabilities?: RtpCapabilities }; result: unknown };
  "consumer.create": { params: unknown; result: { spatialLayers?: number; temporalLayers?: number; held?: boolean } };
  "consumer.setViews": { params: { views: readonly ConsumerView[] }; result: Nothing };
}

export interface AddedNotices {
  "producer.layers": LayersTaken & { producerId: string };
  "consumer.layers": { consumerId: string; spatialLayer?: number | null; temporalLayer?: number | null; reason?: string };
  "consumer.paused": { consumerId: string; reason?: string };
  "consumer.resumed": { consumerId: string; reason?: string };
  "room.updated": Notices["room.updated"] & RoomCodecs;
}
