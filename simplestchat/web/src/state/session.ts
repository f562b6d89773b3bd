/** From the preview to the call and out of it again: the one visit that this page is on. */

import { effect, signal, untracked } from "@preact/signals";
import { Call, type Ending } from "../call/call";
import { LocalMedia } from "../call/local";
import { announce, dismissAll, notify } from "./notices";
import { followNetwork } from "./network";
import { forcedCodec, forgetRoom, ownedRooms, ownerTokenOf, rememberRoom, renameOwnedRoom, soundOnly } from "./preferences";
import { route } from "./router";

export const call = signal<Call | null>(null);
/** How the last call ended; shown until the person goes on. */
export const ended = signal<{ readonly room: string; readonly ending: Ending; readonly name: string } | null>(null);
export const local = signal<LocalMedia | null>(null);

/** The devices of this visit; made at the first need. */
export function localMedia(): LocalMedia {
  local.value ??= new LocalMedia();
  return local.value;
}

export function releaseDevices(): void {
  local.peek()?.close();
  local.value = null;
}

function socketAddress(): string {
  const url = new URL("/ws", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

const SOURCE_WORDS = { microphone: "microphone", camera: "camera", screen: "screen", "screen-audio": "screen's sound" };

function tellWhatHappens(joined: Call): void {
  joined.events.on("joined", (peer) => notify(`${peer.name} joined`));
  joined.events.on("left", ({ peer, reason }) => notify(reason === "disconnected" ? `${peer.name} lost the connection` : `${peer.name} left`));
  joined.events.on("presenting", (peer) => announce(`${peer.name} shares a screen`));
  joined.events.on("refused", ({ source, error }) => {
    notify(`Your ${SOURCE_WORDS[source]} cannot be sent: ${error.message}`, "problem");
    if (source === "screen") joined.local.stopScreen();
    if (source === "camera") void joined.local.setCamera(false);
  });
  joined.events.on("draining", () => notify("The server is about to restart. The call comes back by itself.", "problem"));
  joined.events.on("ownerToken", ({ room, token }) => rememberOwnRoom(joined, room, token));
}

/** The room is new here. If it is an old one made anew, it gets back the name that it is remembered by. */
function rememberOwnRoom(joined: Call, room: string, token: string): void {
  const name = joined.room.value?.name ?? room;
  const known = ownedRooms.peek().find((owned) => owned.id === room)?.name ?? name;
  rememberRoom({ id: room, name: known, token, madeAtMs: Date.now() });
  if (known === name) return;
  joined.updateRoom({ name: known }).catch((error: Error) => notify(`The room has lost its name: ${error.message}`, "problem"));
}

function keepOwnedRoomsCurrent(joined: Call, room: string): () => void {
  return effect(() => {
    const name = joined.room.value?.name;
    const known = ownedRooms.peek().find((owned) => owned.id === room);
    // A room that was just made anew is named by its id.
    if (name !== undefined && name !== room && known && known.name !== name) renameOwnedRoom(room, name);
  });
}

export function enterRoom(room: string, name: string, password: string | null): void {
  const media = localMedia();
  const entered = new Call({
    room,
    name,
    password,
    token: ownerTokenOf(room),
    local: media,
    open: () => new WebSocket(socketAddress()),
    soundOnly,
    codec: forcedCodec(),
  });
  tellWhatHappens(entered);
  const stopFollowing = keepOwnedRoomsCurrent(entered, room);
  const stopListening = followNetwork(() => entered.onNetworkChange());
  entered.events.on("ended", (ending) => {
    ended.value = { room, ending, name: entered.room.value?.name ?? "" };
    if (ending.kind === "closed" || ending.kind === "expired") forgetRoom(room);
    call.value = null;
    dismissAll();
    releaseDevices();
    stopListening();
    stopFollowing();
  });
  ended.value = null;
  call.value = entered;
  entered.start();
}

// Whoever goes to another page by the browser's own buttons leaves the call and gives the devices back.
effect(() => {
  if (route.value.page === "room") return;
  untracked(() => {
    void call.value?.leave();
    releaseDevices();
  });
});
