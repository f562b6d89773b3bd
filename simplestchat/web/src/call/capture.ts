/** Cameras, microphones and screens: getting them, and saying in plain words why not. */

export type CaptureProblem = "denied" | "missing" | "busy" | "insecure" | "unsupported" | "cancelled";

export class CaptureError extends Error {
  readonly problem: CaptureProblem;

  constructor(problem: CaptureProblem) {
    super(problem);
    this.name = "CaptureError";
    this.problem = problem;
  }
}

const PROBLEM_OF: Readonly<Record<string, CaptureProblem>> = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
  InvalidStateError: "cancelled",
};

function problemOf(error: unknown): CaptureProblem {
  return (error instanceof DOMException && PROBLEM_OF[error.name]) || "unsupported";
}

function mediaDevices(): MediaDevices {
  // Browsers hide the whole interface on pages that are neither HTTPS nor localhost.
  if (!window.isSecureContext) throw new CaptureError("insecure");
  if (!("mediaDevices" in navigator)) throw new CaptureError("unsupported");
  return navigator.mediaDevices;
}

async function firstTrack(request: () => Promise<MediaStream>): Promise<MediaStreamTrack> {
  try {
    const track = (await request()).getTracks()[0];
    if (track) return track;
  } catch (error) {
    throw error instanceof CaptureError ? error : new CaptureError(problemOf(error));
  }
  throw new CaptureError("missing");
}

function chosen(deviceId: string | null): Pick<MediaTrackConstraints, "deviceId"> {
  return deviceId === null ? {} : { deviceId: { ideal: deviceId } };
}

/** The microphone, with the browser's echo cancellation, noise suppression and gain control. */
export function captureMicrophone(deviceId: string | null): Promise<MediaStreamTrack> {
  const audio = { ...chosen(deviceId), echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  return firstTrack(() => mediaDevices().getUserMedia({ audio }));
}

export function captureCamera(deviceId: string | null): Promise<MediaStreamTrack> {
  const picture = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
  const facing = deviceId === null ? { facingMode: "user" } : {};
  return firstTrack(() => mediaDevices().getUserMedia({ video: { ...picture, ...facing, ...chosen(deviceId) } }));
}

export interface ScreenTracks {
  readonly video: MediaStreamTrack;
  readonly audio: MediaStreamTrack | null;
}

export function canShareScreen(): boolean {
  return window.isSecureContext && "mediaDevices" in navigator && "getDisplayMedia" in navigator.mediaDevices;
}

/** A screen, window or tab that the person picks, with its sound where the browser offers it. */
export async function captureScreen(): Promise<ScreenTracks> {
  if (!canShareScreen()) throw new CaptureError("unsupported");
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15, max: 30 } }, audio: true });
    const [video] = stream.getVideoTracks();
    if (!video) throw new CaptureError("missing");
    video.contentHint = "detail";
    return { video, audio: stream.getAudioTracks()[0] ?? null };
  } catch (error) {
    const problem = error instanceof CaptureError ? error.problem : problemOf(error);
    // Closing the picker and refusing look the same to a page; neither deserves an alarm.
    throw new CaptureError(problem === "denied" ? "cancelled" : problem);
  }
}

export interface Devices {
  readonly microphones: readonly MediaDeviceInfo[];
  readonly cameras: readonly MediaDeviceInfo[];
  readonly speakers: readonly MediaDeviceInfo[];
}

export const NO_DEVICES: Devices = { microphones: [], cameras: [], speakers: [] };

export async function listDevices(): Promise<Devices> {
  try {
    const all = await mediaDevices().enumerateDevices();
    const of = (kind: MediaDeviceKind): MediaDeviceInfo[] => all.filter((device) => device.kind === kind);
    return { microphones: of("audioinput"), cameras: of("videoinput"), speakers: of("audiooutput") };
  } catch {
    return NO_DEVICES;
  }
}

/** Calls `listener` whenever a device is plugged in or out. */
export function onDeviceChange(listener: () => void): () => void {
  try {
    const devices = mediaDevices();
    devices.addEventListener("devicechange", listener);
    return () => devices.removeEventListener("devicechange", listener);
  } catch {
    return () => undefined;
  }
}
