/** The protocol's types under the names that the client uses. */

import type { PeerInfo, ProducerInfo } from "../protocol";

export type {
  ChatMessage,
  JoinedRoom,
  Methods,
  Notices as Notifications,
  Notification,
  OwnMedia,
  PeerInfo,
  ProducerInfo,
  RoomJoin as JoinParams,
  RoomJoined as JoinResult,
} from "../protocol";

export type Source = ProducerInfo["source"];
export type Role = PeerInfo["role"];
