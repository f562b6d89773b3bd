/** The protocol's types under the names that the client uses. */

import type * as protocol from "../protocol";
import type { AddedMethods, AddedNotices, OwnMediaNow, RoomCodecs } from "./additions";

export type { ChatMessage, PeerInfo, ProducerInfo } from "../protocol";
export type { ConsumerView, LayersTaken, OwnMediaNow as OwnMedia } from "./additions";

export type Methods = protocol.Methods & AddedMethods;
export type Notifications = Omit<protocol.Notices, keyof AddedNotices> & AddedNotices;
export type Notification = {
  [M in keyof Notifications]: { jsonrpc: "2.0"; method: M; params: Notifications[M]; seq?: number };
}[keyof Notifications];

export type JoinedRoom = protocol.JoinedRoom & RoomCodecs;
export type JoinParams = Methods["room.join"]["params"];
export type JoinResult = Omit<protocol.RoomJoined, "room" | "missed" | "own"> & { room: JoinedRoom; missed: Notification[]; own: OwnMediaNow };

export type Source = protocol.ProducerInfo["source"];
export type Role = protocol.PeerInfo["role"];
