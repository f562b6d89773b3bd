/** Keys of the call. Single keys only work while nothing is typed into, and can be switched off altogether. */

import { useEffect } from "preact/hooks";
import type { Call } from "../../call/call";
import { singleKeys } from "../../state/preferences";
import { dialog, panel, setMicrophone, toggleCamera, toggleFullscreen, toggleMicrophone, togglePanel, toggleScreen } from "./actions";

export interface Shortcut {
  readonly key: string;
  readonly label: string;
  readonly run: (call: Call) => void;
}

export const SHORTCUTS: readonly Shortcut[] = [
  { key: "m", label: "Microphone on or off", run: (call) => void toggleMicrophone(call) },
  { key: "v", label: "Camera on or off", run: (call) => void toggleCamera(call) },
  { key: "s", label: "Share the screen, or stop", run: (call) => void toggleScreen(call) },
  { key: "c", label: "Chat", run: () => togglePanel("chat") },
  { key: "p", label: "People", run: () => togglePanel("people") },
  { key: "f", label: "Full screen", run: () => void toggleFullscreen() },
  { key: "?", label: "This list", run: () => (dialog.value = "help") },
];

/** The key that speaks as long as it is held. */
export const TALK_KEY = " ";

const TYPING = "input, textarea, select, [contenteditable], [role=menu]";

function isTyping(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest(TYPING) !== null;
}

function onTalkKey(event: KeyboardEvent, call: Call, state: { talking: boolean }): void {
  const onButton = event.target instanceof Element && event.target.closest("button, a, summary") !== null;
  if (event.repeat || onButton || call.local.microphoneOn.value) return;
  event.preventDefault();
  state.talking = true;
  void setMicrophone(call, true);
}

function onKeyDown(event: KeyboardEvent, call: Call, state: { talking: boolean }): void {
  if (event.ctrlKey || event.metaKey || event.altKey || dialog.peek() !== null) return;
  if (event.key === "Escape" && panel.peek() !== null) {
    panel.value = null;
    return;
  }
  if (isTyping(event) || !singleKeys.peek()) return;
  if (event.key === TALK_KEY) return onTalkKey(event, call, state);
  const shortcut = SHORTCUTS.find(({ key }) => key === event.key.toLowerCase());
  if (!shortcut || event.repeat) return;
  event.preventDefault();
  shortcut.run(call);
}

/** Listens to the keys until the function that it returns is called. */
export function followKeys(call: Call): () => void {
  const state = { talking: false };
  const down = (event: KeyboardEvent): void => onKeyDown(event, call, state);
  const release = (): void => {
    if (!state.talking) return;
    state.talking = false;
    void setMicrophone(call, false);
  };
  const up = (event: KeyboardEvent): void => {
    if (event.key === TALK_KEY) release();
  };
  // Whoever lets go of the key while another window has the focus is not heard here.
  const hide = (): void => {
    if (document.hidden) release();
  };
  document.addEventListener("keydown", down);
  document.addEventListener("keyup", up);
  document.addEventListener("visibilitychange", hide);
  window.addEventListener("blur", release);
  return () => {
    document.removeEventListener("keydown", down);
    document.removeEventListener("keyup", up);
    document.removeEventListener("visibilitychange", hide);
    window.removeEventListener("blur", release);
  };
}

export function useShortcuts(call: Call): void {
  useEffect(() => followKeys(call), [call]);
}
