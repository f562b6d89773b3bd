/** What this browser remembers of its person: name, looks, habits, and the rooms that they made. */

import { effect, signal } from "@preact/signals";
import { type CodecName, isCodecName } from "../call/codecs";
import { isBoolean, isString, Remembered } from "../lib/storage";

export type Theme = "system" | "light" | "dark";

export interface OwnedRoom {
  readonly id: string;
  readonly name: string;
  /** Whoever has it manages the room. */
  readonly token: string;
  readonly madeAtMs: number;
}

const isTheme = (value: unknown): value is Theme => value === "system" || value === "light" || value === "dark";

function isOwnedRoom(value: unknown): value is OwnedRoom {
  const room = value as OwnedRoom | null;
  return typeof room === "object" && room !== null && isString(room.id) && isString(room.name) && isString(room.token);
}

const isOwnedRooms = (value: unknown): value is OwnedRoom[] => Array.isArray(value) && value.every(isOwnedRoom);

function remembered<T>(key: string, initial: T, check: (value: unknown) => value is T) {
  const store = new Remembered(key, initial, check);
  const state = signal(store.get());
  effect(() => store.set(state.value));
  return state;
}

export const userName = remembered("name", "", isString);
export const theme = remembered<Theme>("theme", "system", isTheme);
export const ownedRooms = remembered<OwnedRoom[]>("rooms", [], isOwnedRooms);
export const singleKeys = remembered("single-keys", true, isBoolean);
export const joinWithMicrophone = remembered("join-microphone", true, isBoolean);
export const joinWithCamera = remembered("join-camera", true, isBoolean);

/** Audio only: this device neither receives nor sends pictures. */
export const soundOnly = remembered("sound-only", false, isBoolean);

/** For developers: the codec to send pictures with, from `?codec=` of the address or the browser's memory. */
export function forcedCodec(): CodecName | null {
  const asked = new URLSearchParams(location.search).get("codec") ?? new Remembered("codec", "", isString).get();
  return isCodecName(asked) ? asked : null;
}

effect(() => {
  const { dataset } = document.documentElement;
  if (theme.value === "system") delete dataset["theme"];
  else dataset["theme"] = theme.value;
});

export function ownerTokenOf(room: string): string | null {
  return ownedRooms.value.find((owned) => owned.id === room)?.token ?? null;
}

export function rememberRoom(room: OwnedRoom): void {
  ownedRooms.value = [room, ...ownedRooms.value.filter((owned) => owned.id !== room.id)];
}

export function renameOwnedRoom(id: string, name: string): void {
  ownedRooms.value = ownedRooms.value.map((owned) => (owned.id === id ? { ...owned, name } : owned));
}

export function forgetRoom(id: string): void {
  ownedRooms.value = ownedRooms.value.filter((owned) => owned.id !== id);
}
