/**
 * Sends only what somebody wants: switches the encodings of one sender off and on.
 *
 * Streams of their own are switched by `active`. Of layers inside one stream the upper ones are left out: fewer layers, of a
 * picture so much smaller that the lower ones keep their sizes.
 */

import type { LayersTaken } from "../net/wire";
import { bitrateFor, type Encoding, modeOf, UNTOLD } from "./encodings";

/** The part of an RTCRtpSender that is used here. */
export interface Sender {
  getParameters(): RTCRtpSendParameters;
  setParameters(parameters: RTCRtpSendParameters): Promise<void>;
}

/** What is set of an encoding; the scalability mode is newer than the types of some browsers. */
type Settings = RTCRtpEncodingParameters & { scalabilityMode?: string };

const ATTEMPTS = 4;
const RETRY_MS = 250;

/** The sizes inside a stream of this mode. */
export function spatialLayers(mode: string | undefined): number {
  return Number(/^L(\d)T/.exec(mode ?? "")?.[1] ?? 1);
}

/** The highest layer that is wanted of `count`, -1 for none. */
export function topLayer({ encodings, maxSpatialLayer }: LayersTaken, count: number): number {
  if (encodings && !encodings.includes(true)) return -1;
  if (maxSpatialLayer !== undefined) return Math.min(maxSpatialLayer ?? -1, count - 1);
  // One flag for one stream says whether anybody wants any of it.
  return encodings && encodings.length > 1 ? encodings.lastIndexOf(true) : count - 1;
}

/** One stream with its layers up to `top`. */
function narrowed(full: Encoding, top: number): Settings {
  const count = spatialLayers(full.scalabilityMode);
  const scale = 2 ** (count - 1 - Math.max(0, top));
  const share = bitrateFor({ width: UNTOLD.width / scale, height: UNTOLD.height / scale }) / bitrateFor(UNTOLD);
  return {
    active: top >= 0,
    scalabilityMode: modeOf(Math.max(0, top) + 1),
    scaleResolutionDownBy: (full.scaleResolutionDownBy ?? 1) * scale,
    ...(full.maxBitrate === undefined ? {} : { maxBitrate: Math.round(full.maxBitrate * share) }),
  };
}

/** What each encoding shall be like, beginning from what was published. */
export function settingsFor(published: readonly Encoding[], wanted: LayersTaken): Settings[] {
  const [only] = published;
  const count = spatialLayers(only?.scalabilityMode);
  if (published.length === 1 && only && count > 1) return [narrowed(only, topLayer(wanted, count))];
  const top = wanted.maxSpatialLayer;
  return published.map((_, index) => ({
    active: wanted.encodings ? (wanted.encodings[index] ?? true) : top === undefined || index <= (top ?? -1),
  }));
}

export class LayerSwitch {
  readonly #sender: Sender;
  readonly #published: readonly Encoding[];
  #wanted: LayersTaken | null = null;
  #running = false;

  constructor(sender: Sender, published: readonly Encoding[]) {
    this.#sender = sender;
    this.#published = published;
  }

  /** One change at a time; of those that come meanwhile only the last one is made. */
  want(wanted: LayersTaken): void {
    this.#wanted = wanted;
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    let failures = 0;
    while (this.#wanted && failures < ATTEMPTS) {
      const wanted = this.#wanted;
      this.#wanted = null;
      if (await this.#apply(settingsFor(this.#published, wanted))) {
        failures = 0;
        continue;
      }
      // A negotiation was under way. What has been wanted since is newer.
      failures += 1;
      this.#wanted ??= wanted;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS * failures));
    }
    this.#running = false;
  }

  async #apply(settings: readonly Settings[]): Promise<boolean> {
    if (await this.#set(settings)) return true;
    // A browser that cannot change the layers of a running stream can still send less of it.
    return this.#set(settings.map(({ scalabilityMode: _mode, scaleResolutionDownBy: _scale, ...rest }) => rest));
  }

  async #set(settings: readonly Settings[]): Promise<boolean> {
    try {
      const parameters = this.#sender.getParameters();
      if (parameters.encodings.length === 0) return false;
      const changed = parameters.encodings.map((now, index) => ({ ...now, ...settings[index] }));
      if (JSON.stringify(changed) === JSON.stringify(parameters.encodings)) return true;
      await this.#sender.setParameters({ ...parameters, encodings: changed });
      return true;
    } catch {
      return false;
    }
  }
}
