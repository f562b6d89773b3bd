/** What the buttons and keys of a call do, with a word to the person when it does not work. */

import { signal } from "@preact/signals";
import type { Call } from "../../call/call";
import { CaptureError } from "../../call/capture";
import { announce, notify } from "../../state/notices";
import { joinWithCamera, joinWithMicrophone, soundOnly } from "../../state/preferences";
import { problemText } from "../room/devices";

export type Panel = "chat" | "people" | null;
export type DialogName = "devices" | "help" | "share" | "room" | null;

export const panel = signal<Panel>(null);
export const dialog = signal<DialogName>(null);

export function togglePanel(name: Exclude<Panel, null>): void {
  panel.value = panel.value === name ? null : name;
}

export async function toggleMicrophone(call: Call): Promise<void> {
  await setMicrophone(call, !call.local.microphoneOn.value);
}

export async function setMicrophone({ local }: Call, on: boolean): Promise<void> {
  joinWithMicrophone.value = on;
  await local.setMicrophone(on);
  const problem = local.microphoneProblem.value;
  if (on && !local.microphoneOn.value && problem) notify(problemText(problem, "microphone"), "problem");
  else announce(on ? "Microphone on" : "Microphone off");
}

/** Audio only: nothing is shown and nothing of oneself; afterwards everything is as it was. */
export async function setSoundOnly({ local, room }: Call, on: boolean): Promise<void> {
  soundOnly.value = on;
  if (on) await local.setCamera(false);
  else if (joinWithCamera.peek() && !room.peek()?.audioOnly) await local.setCamera(true);
  announce(on ? "Audio only" : "Pictures are shown again");
}

/** Pictures are wanted while audio only is on: asks which of both counts. */
function offerPictures(call: Call): void {
  notify("Audio only is on.", "info", { label: "Switch it off", run: () => void setSoundOnly(call, false) });
}

export async function toggleCamera(call: Call): Promise<void> {
  const { local, room } = call;
  const on = !local.cameraOn.value;
  if (on && room.value?.audioOnly) return void notify("This room is audio only.");
  if (on && soundOnly.value) return offerPictures(call);
  joinWithCamera.value = on;
  await local.setCamera(on);
  const problem = local.cameraProblem.value;
  if (on && !local.cameraOn.value && problem) return void notify(problemText(problem, "camera"), "problem");
  announce(on ? "Camera on" : "Camera off");
}

export async function toggleScreen(call: Call): Promise<void> {
  const { local, room } = call;
  if (local.screen.value) {
    local.stopScreen();
    return announce("You stopped sharing your screen");
  }
  if (room.value?.audioOnly) return void notify("This room is audio only.");
  if (soundOnly.value) return offerPictures(call);
  try {
    await local.startScreen();
    announce("You share your screen");
  } catch (error) {
    const problem = error instanceof CaptureError ? error.problem : "unsupported";
    if (problem !== "cancelled") notify("The screen could not be shared.", "problem");
  }
}

export async function toggleFullscreen(): Promise<void> {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen();
  } catch {
    notify("This browser does not offer the full screen here.");
  }
}
