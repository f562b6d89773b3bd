/** The protocol's types under the names that the client uses. */

import type * as protocol from "../protocol";
import type { AddedMethods, AddedNotices, RoomCodecs } from "./additions";

export type { ChatMessage, OwnMedia, PeerInfo, ProducerInfo } from "../protocol";
export type { ConsumerView } from "./additions";

export type Methods = protocol.Methods & AddedMethods;
export type Notifications = Omit<protocol.Notices, keyof AddedNotices> & AddedNotices;
export type Notification = {
  [M in keyof Notifications]: { jsonrpc: "2.0"; method: M; params: Notifications[M]; seq?: number };
}[keyof Notifications];

export type JoinedRoom = protocol.JoinedRoom & RoomCodecs;
export type JoinParams = Methods["room.join"]["params"];
export type JoinResult = Omit<protocol.RoomJoined, "room" | "missed"> & { room: JoinedRoom; missed: Notification[] };

export type Source = protocol.ProducerInfo["source"];
export type Role = protocol.PeerInfo["role"];
