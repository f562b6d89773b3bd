/** The call itself: stage, panel, controls, and everything that is heard but not seen. */

import { untracked, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Call } from "../../call/call";
import { announce, dismiss, notify } from "../../state/notices";
import { dialog, panel, togglePanel } from "./actions";
import { Sound } from "./audio";
import { Banner } from "./banner";
import { ChatPanel } from "./chat";
import { Controls } from "./controls";
import { CallDialogs } from "./dialogs";
import { CallHeader } from "./header";
import { PeoplePanel } from "./people";
import { useShortcuts } from "./shortcuts";
import { Stage } from "./stage";

const PREVIEW_CHARACTERS = 80;

function useTitle(call: Call): void {
  useSignalEffect(() => {
    const unread = call.messages.unread.value;
    const name = call.room.value?.name ?? "";
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${name} – SimplestChat`;
  });
}

/** A message that comes while the chat is closed shows itself for a moment, or until the chat is opened. */
function useMessagePreview(call: Call): void {
  const shown = useRef<number[]>([]);
  useSignalEffect(() => {
    if (panel.value === "chat") for (const id of shown.current.splice(0)) untracked(() => dismiss(id));
  });
  useEffect(
    () =>
      call.events.on("message", ({ name, text }) => {
        const short = text.length > PREVIEW_CHARACTERS ? `${text.slice(0, PREVIEW_CHARACTERS)}…` : text;
        if (panel.peek() === "chat") announce(`${name}: ${short}`);
        else shown.current.push(notify(`${name}: ${short}`, "info", { label: "Reply", run: () => togglePanel("chat") }));
      }),
    [call],
  );
}

/** The screen does not go dark in a call. */
function useWakeLock(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | null = null;
    const ask = (): void => {
      if (document.hidden || !("wakeLock" in navigator)) return;
      navigator.wakeLock.request("screen").then(
        (granted) => (lock = granted),
        () => undefined,
      );
    };
    ask();
    document.addEventListener("visibilitychange", ask);
    return () => {
      document.removeEventListener("visibilitychange", ask);
      void lock?.release();
    };
  }, []);
}

export function CallPage({ call }: { call: Call }) {
  useShortcuts(call);
  useTitle(call);
  useMessagePreview(call);
  useWakeLock();
  useEffect(() => {
    const leave = (): void => void call.leave();
    addEventListener("pagehide", leave);
    return () => {
      removeEventListener("pagehide", leave);
      panel.value = null;
      dialog.value = null;
    };
  }, [call]);
  const close = (): void => {
    panel.value = null;
  };
  return (
    <div class={panel.value ? "call call-with-panel" : "call"} data-testid="call" data-connection={call.connection.value} data-media={call.media.value}>
      <CallHeader call={call} />
      <Banner call={call} />
      <main class="call-main">
        <Stage call={call} />
      </main>
      {panel.value === "chat" && <ChatPanel call={call} onClose={close} />}
      {panel.value === "people" && <PeoplePanel call={call} onClose={close} />}
      <Controls call={call} />
      <Sound call={call} />
      <CallDialogs call={call} />
    </div>
  );
}
