/**
 * One's own devices: the same object in the preview and in the call, so that nothing is captured twice.
 *
 * The camera is really released when it is off (its light goes out); the microphone is kept and only silenced, so that
 * speaking again is instant. Operations on a device run one after another, whatever the person presses meanwhile.
 */

import { signal } from "@preact/signals";
import { isString, Remembered } from "../lib/storage";
import * as capture from "./capture";
import { LevelMeter } from "./meter";

export type DeviceKind = "microphone" | "camera" | "speaker";

const rememberedDevice = {
  microphone: new Remembered("microphone", "", isString),
  camera: new Remembered("camera", "", isString),
  speaker: new Remembered("speaker", "", isString),
};

/** Runs tasks strictly one after another. */
class Queue {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

export class LocalMedia {
  readonly microphone = signal<MediaStreamTrack | null>(null);
  readonly camera = signal<MediaStreamTrack | null>(null);
  readonly screen = signal<MediaStreamTrack | null>(null);
  readonly screenAudio = signal<MediaStreamTrack | null>(null);
  readonly microphoneOn = signal(false);
  readonly cameraOn = signal(false);
  readonly microphoneProblem = signal<capture.CaptureProblem | null>(null);
  readonly cameraProblem = signal<capture.CaptureProblem | null>(null);
  readonly devices = signal<capture.Devices>(capture.NO_DEVICES);
  readonly chosen = {
    microphone: signal(rememberedDevice.microphone.get()),
    camera: signal(rememberedDevice.camera.get()),
    speaker: signal(rememberedDevice.speaker.get()),
  };
  /** Loudness of the microphone, 0–1. */
  readonly level = signal(0);

  readonly #queue = new Queue();
  readonly #meter = new LevelMeter();
  readonly #stopWatching: () => void;
  #closed = false;

  constructor() {
    this.#stopWatching = capture.onDeviceChange(() => void this.refreshDevices());
  }

  async refreshDevices(): Promise<void> {
    this.devices.value = await capture.listDevices();
  }

  setMicrophone(on: boolean): Promise<void> {
    return this.#queue.run(async () => {
      if (on && this.microphone.value === null) await this.#openMicrophone();
      const track = this.microphone.value;
      this.microphoneOn.value = on && track !== null;
      if (track) track.enabled = this.microphoneOn.value;
    });
  }

  setCamera(on: boolean): Promise<void> {
    return this.#queue.run(async () => {
      if (on === this.cameraOn.value) return;
      if (on) await this.#openCamera();
      else this.#closeCamera();
    });
  }

  /** Remembers a device and changes over to it when its kind is in use. */
  choose(kind: DeviceKind, deviceId: string): Promise<void> {
    this.chosen[kind].value = deviceId;
    rememberedDevice[kind].set(deviceId);
    return this.#queue.run(async () => {
      if (kind === "camera" && this.cameraOn.value) await this.#openCamera();
      if (kind === "microphone" && this.microphone.value) await this.#openMicrophone();
    });
  }

  /** Asks what to share; throws CaptureError. */
  async startScreen(): Promise<void> {
    const { video, audio } = await capture.captureScreen();
    if (this.#closed) {
      video.stop();
      audio?.stop();
      throw new capture.CaptureError("cancelled");
    }
    this.stopScreen();
    video.addEventListener("ended", () => this.stopScreen());
    this.screen.value = video;
    this.screenAudio.value = audio;
  }

  stopScreen(): void {
    this.screen.value?.stop();
    this.screenAudio.value?.stop();
    this.screen.value = null;
    this.screenAudio.value = null;
  }

  /** Releases every device. */
  close(): void {
    this.#closed = true;
    this.#stopWatching();
    this.#meter.close();
    this.stopScreen();
    this.#closeCamera();
    this.microphone.value?.stop();
    this.microphone.value = null;
    this.microphoneOn.value = false;
  }

  async #openMicrophone(): Promise<void> {
    try {
      const track = await capture.captureMicrophone(this.chosen.microphone.value || null);
      if (this.#closed) return track.stop();
      this.microphone.value?.stop();
      track.enabled = this.microphoneOn.value;
      track.addEventListener("ended", () => this.#lost("microphone", track));
      this.microphone.value = track;
      this.microphoneProblem.value = null;
      this.#meter.attach(track, (level) => (this.level.value = level));
      await this.refreshDevices();
    } catch (error) {
      this.microphoneProblem.value = error instanceof capture.CaptureError ? error.problem : "unsupported";
    }
  }

  async #openCamera(): Promise<void> {
    // Many systems give a camera to one user at a time: the old one goes first.
    this.#closeCamera();
    try {
      const track = await capture.captureCamera(this.chosen.camera.value || null);
      if (this.#closed) return track.stop();
      track.addEventListener("ended", () => this.#lost("camera", track));
      this.camera.value = track;
      this.cameraOn.value = true;
      this.cameraProblem.value = null;
      await this.refreshDevices();
    } catch (error) {
      this.cameraProblem.value = error instanceof capture.CaptureError ? error.problem : "unsupported";
    }
  }

  #closeCamera(): void {
    this.camera.value?.stop();
    this.camera.value = null;
    this.cameraOn.value = false;
  }

  /** A device went away by itself: pulled out, or taken by the system. */
  #lost(kind: "microphone" | "camera", track: MediaStreamTrack): void {
    if (kind === "camera" && this.camera.value === track) {
      this.#closeCamera();
      this.cameraProblem.value = "missing";
    }
    if (kind === "microphone" && this.microphone.value === track) {
      this.microphone.value = null;
      this.microphoneOn.value = false;
      this.microphoneProblem.value = "missing";
      this.#meter.attach(null, (level) => (this.level.value = level));
    }
    void this.refreshDevices();
  }
}
