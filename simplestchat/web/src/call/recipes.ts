/** How each source is published: which codec, in which encodings. Changes when the room's codecs do. */

import type { Device, types } from "mediasoup-client";
import type { Source } from "../net/wire";
import { chooseCodec, type CodecName, codecName } from "./codecs";
import type { DeviceFacts } from "./device";
import { type Capture, cameraEncodings, PLAIN_CAMERA, PLAIN_SCREEN, screenEncodings, UNTOLD } from "./encodings";

type Options = Pick<types.ProducerOptions, "encodings" | "codecOptions" | "streamId" | "codec">;

export interface Recipe {
  /** Two recipes with the same key publish the same way. */
  readonly key: string;
  readonly options: Options;
}

const SCREEN_AUDIO_BPS = 128_000;
const START_KBPS = 900;

/** Opus: silence costs nothing, and a lost packet of a voice is mended by the next. */
const SOUND: Readonly<Record<"microphone" | "screen-audio", Options>> = {
  microphone: { streamId: "person", codecOptions: { opusDtx: true, opusFec: true } },
  "screen-audio": {
    streamId: "screen",
    codecOptions: { opusStereo: true, opusFec: true, opusMaxAverageBitrate: SCREEN_AUDIO_BPS },
  },
};

export class Recipes {
  readonly #device: Device;
  readonly #facts: DeviceFacts;
  readonly #forced: CodecName | null;
  #order: readonly string[] | null;

  /** `order` is the room's, `null` when it names none; `forced` is what a developer insists on. */
  constructor(device: Device, facts: DeviceFacts, order: readonly string[] | null, forced: CodecName | null) {
    this.#device = device;
    this.#facts = facts;
    this.#forced = forced;
    this.#order = order;
  }

  prefer(order: readonly string[] | null): void {
    this.#order = order;
  }

  /** The codec that pictures are sent with now. */
  get codec(): CodecName | null {
    const offered = this.#offered().map(({ name }) => name);
    if (this.#forced && offered.includes(this.#forced)) return this.#forced;
    if (this.#order === null) return offered.includes("vp8") ? "vp8" : null;
    return chooseCodec({ order: this.#order, offered, facts: this.#facts });
  }

  for(source: Source, track: MediaStreamTrack): Recipe {
    if (source === "microphone" || source === "screen-audio") return { key: source, options: SOUND[source] };
    const name = this.codec;
    const codec = this.#offered().find((one) => one.name === name)?.codec;
    const encodings = this.#encodings(source, name, track);
    return {
      key: `${name}:${encodings.length}:${encodings[0]?.scalabilityMode ?? ""}`,
      options: {
        streamId: source === "screen" ? "screen" : "person",
        encodings,
        codecOptions: { videoGoogleStartBitrate: START_KBPS },
        ...(codec ? { codec } : {}),
      },
    };
  }

  #encodings(source: "camera" | "screen", codec: CodecName | null, track: MediaStreamTrack): types.RtpEncodingParameters[] {
    const plain = codec === null || (this.#order === null && this.#forced === null);
    if (plain) return (source === "screen" ? PLAIN_SCREEN : PLAIN_CAMERA).map((encoding) => ({ ...encoding }));
    return source === "screen" ? screenEncodings(codec) : cameraEncodings(codec, captureOf(track), this.#facts);
  }

  #offered(): { name: CodecName; codec: types.RtpCodecCapability }[] {
    return (this.#device.sendRtpCapabilities.codecs ?? []).flatMap((codec) => {
      const name = codecName(codec.mimeType);
      return name && codec.kind === "video" ? [{ name, codec }] : [];
    });
  }
}

function captureOf(track: MediaStreamTrack): Capture {
  const { width, height } = track.getSettings();
  return width && height ? { width, height } : UNTOLD;
}
