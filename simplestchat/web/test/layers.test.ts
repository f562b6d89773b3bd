import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LayerSwitch, type Sender, settingsFor, topLayer } from "../src/call/layers";

const STREAMS = [{ maxBitrate: 150_000 }, { maxBitrate: 500_000 }, { maxBitrate: 1_500_000 }];
const LAYERED = [{ scalabilityMode: "L3T3_KEY", maxBitrate: 1_300_000 }];

/** A browser's sender whose changes take a while. */
class SlowSender implements Sender {
  readonly set: RTCRtpSendParameters[] = [];
  running = 0;
  most = 0;
  refuses = (_parameters: RTCRtpSendParameters): boolean => false;
  #parameters: RTCRtpSendParameters;

  constructor(encodings: RTCRtpEncodingParameters[]) {
    this.#parameters = { encodings } as unknown as RTCRtpSendParameters;
  }

  getParameters(): RTCRtpSendParameters {
    return structuredClone(this.#parameters);
  }

  async setParameters(parameters: RTCRtpSendParameters): Promise<void> {
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    await new Promise((resolve) => setTimeout(resolve, 10));
    this.running -= 1;
    if (this.refuses(parameters)) throw new DOMException("not now", "InvalidStateError");
    this.set.push(parameters);
    this.#parameters = structuredClone(parameters);
  }

  get active(): (boolean | undefined)[] {
    return this.#parameters.encodings.map(({ active }) => active);
  }
}

describe("settingsFor", () => {
  const active = (wanted: Parameters<typeof settingsFor>[1]) => settingsFor(STREAMS, wanted).map((one) => one.active);

  it("switches streams one by one, or up to a layer", () => {
    expect(active({ encodings: [true, false, true] })).toEqual([true, false, true]);
    expect(active({ maxSpatialLayer: 1 })).toEqual([true, true, false]);
    expect(active({ maxSpatialLayer: null })).toEqual([false, false, false]);
    expect(active({})).toEqual([true, true, true]);
  });

  it("never changes the size of a stream", () => {
    for (const one of settingsFor(STREAMS, { encodings: [true, false, false] })) expect(Object.keys(one)).toEqual(["active"]);
  });

  it("leaves out the upper layers of one stream, and the lower ones keep their sizes", () => {
    const [two] = settingsFor(LAYERED, { encodings: [true, true, false] });
    expect(two).toMatchObject({ active: true, scalabilityMode: "L2T3_KEY", scaleResolutionDownBy: 2 });
    const [one] = settingsFor(LAYERED, { maxSpatialLayer: 0 });
    expect(one).toMatchObject({ active: true, scalabilityMode: "L1T3", scaleResolutionDownBy: 4 });
    expect(one?.maxBitrate).toBeLessThan(two?.maxBitrate ?? 0);
    expect(settingsFor(LAYERED, {})).toEqual([{ active: true, scalabilityMode: "L3T3_KEY", scaleResolutionDownBy: 1, maxBitrate: 1_300_000 }]);
  });

  it("switches the whole stream off when nobody wants any of it", () => {
    expect(settingsFor(LAYERED, { encodings: [false, false, false] })[0]?.active).toBe(false);
    expect(settingsFor(LAYERED, { encodings: [false] })[0]?.active).toBe(false);
    expect(topLayer({ encodings: [false], maxSpatialLayer: 2 }, 3)).toBe(-1);
    expect(topLayer({ encodings: [true] }, 3)).toBe(2);
    expect(topLayer({ encodings: [true], maxSpatialLayer: 1 }, 3)).toBe(1);
    expect(topLayer({ maxSpatialLayer: 9 }, 3)).toBe(2);
  });
});

describe("LayerSwitch", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("makes one change at a time and ends in the last one", async () => {
    const sender = new SlowSender(STREAMS.map((one) => ({ ...one, active: true })));
    const layers = new LayerSwitch(sender, STREAMS);
    for (const top of [0, 1, 2, 1, 0, 1]) layers.want({ maxSpatialLayer: top });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sender.most).toBe(1);
    expect(sender.active).toEqual([true, true, false]);
    expect(sender.set).toHaveLength(2);
  });

  it("tries again when the browser is busy, with what is wanted by then", async () => {
    const sender = new SlowSender(STREAMS.map((one) => ({ ...one, active: true })));
    let refusals = 3;
    sender.refuses = () => refusals-- > 0;
    const layers = new LayerSwitch(sender, STREAMS);
    layers.want({ maxSpatialLayer: 0 });
    await vi.advanceTimersByTimeAsync(50);
    layers.want({ maxSpatialLayer: 1 });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sender.active).toEqual([true, true, false]);
  });

  it("gives up on a browser that never will, and hears the next wish", async () => {
    const sender = new SlowSender(STREAMS.map((one) => ({ ...one, active: true })));
    sender.refuses = () => true;
    const layers = new LayerSwitch(sender, STREAMS);
    layers.want({ maxSpatialLayer: 0 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(vi.getTimerCount()).toBe(0);
    sender.refuses = () => false;
    layers.want({ maxSpatialLayer: 1 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sender.active).toEqual([true, true, false]);
  });

  it("sends less of a stream whose layers the browser does not change", async () => {
    const sender = new SlowSender([{ maxBitrate: 1_300_000, active: true }]);
    sender.refuses = ({ encodings: [only] }) => "scalabilityMode" in (only ?? {});
    new LayerSwitch(sender, LAYERED).want({ maxSpatialLayer: 0 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sender.getParameters().encodings[0]?.maxBitrate).toBeLessThan(500_000);
    expect(sender.getParameters().encodings[0]).not.toHaveProperty("scaleResolutionDownBy");
  });
});
