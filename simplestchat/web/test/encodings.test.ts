import { describe, expect, it } from "vitest";
import { chooseCodec, codecName, type CodecName } from "../src/call/codecs";
import type { DeviceFacts } from "../src/call/device";
import { bitrateFor, cameraEncodings, screenEncodings } from "../src/call/encodings";

const ORDER = ["av1", "vp9", "vp8", "h264"];
const ALL: CodecName[] = ["vp8", "h264", "vp9", "av1"];
const HD = { width: 1280, height: 720 };

function device(cores: number, layered: CodecName[] = ["av1", "vp9"], efficient: CodecName[] = []): DeviceFacts {
  return { cores, layered: new Set(layered), efficient: new Set(efficient) };
}

const choose = (facts: DeviceFacts, order = ORDER, offered = ALL) => chooseCodec({ order, offered, facts });

describe("chooseCodec", () => {
  it("takes the first of the room's order that the device encodes well", () => {
    expect(choose(device(16))).toBe("av1");
    expect(choose(device(6))).toBe("vp9");
    expect(choose(device(16), ["vp9", "av1"])).toBe("vp9");
    expect(choose(device(16), ["h264", "av1"])).toBe("h264");
  });

  it("spares a weak device", () => {
    expect(choose(device(4))).toBe("vp8");
    expect(choose(device(4), ["av1", "h264", "vp8"])).toBe("vp8");
    expect(choose(device(4), ["av1", "h264"])).toBe("h264");
  });

  it("takes layers only from a browser that makes them", () => {
    expect(choose(device(16, []))).toBe("vp8");
    expect(choose(device(16, ["vp9"]))).toBe("vp9");
  });

  it("trusts hardware with what software is too slow for", () => {
    expect(choose(device(6, ["av1", "vp9"], ["av1"]))).toBe("av1");
  });

  it("sends what it must when nothing suits, and nothing that is not offered", () => {
    expect(choose(device(16, []), ["av1", "vp9"])).toBe("av1");
    expect(choose(device(16), ORDER, ["h264"])).toBe("h264");
    expect(choose(device(16), ["theora"], ALL)).toBeNull();
  });

  it("knows codecs by their MIME types", () => {
    expect(["video/VP8", "video/AV1", "video/rtx"].map(codecName)).toEqual(["vp8", "av1", null]);
  });
});

describe("cameraEncodings", () => {
  const heights = (capture = HD, facts = device(8)) =>
    cameraEncodings("vp8", capture, facts).map(({ scaleResolutionDownBy = 1 }) => capture.height / scaleResolutionDownBy);

  it("sends three streams of VP8, the lowest first", () => {
    expect(heights()).toEqual([180, 360, 720]);
    const rates = cameraEncodings("vp8", HD, device(8)).map(({ maxBitrate = 0 }) => maxBitrate / 1000);
    expect(rates[0]).toBeGreaterThan(120);
    expect(rates[0]).toBeLessThan(200);
    expect(rates[1]).toBeGreaterThan(450);
    expect(rates[1]).toBeLessThan(550);
    expect(rates[2]).toBe(1500);
  });

  it("sends fewer of a small picture or from a feeble device", () => {
    expect(heights({ width: 640, height: 480 })).toEqual([240, 480]);
    expect(heights({ width: 320, height: 240 })).toEqual([240]);
    expect(heights(HD, device(2))).toEqual([180, 720]);
  });

  it("counts the shorter side, so that turning a phone changes nothing", () => {
    expect(cameraEncodings("vp8", { width: 720, height: 1280 }, device(8))).toEqual(cameraEncodings("vp8", HD, device(8)));
  });

  it("puts the layers of VP9 and AV1 into one stream", () => {
    for (const codec of ["vp9", "av1"] as const) {
      const modes = [HD, { width: 640, height: 360 }, { width: 320, height: 180 }].map((capture) =>
        cameraEncodings(codec, capture, device(8)).map(({ scalabilityMode }) => scalabilityMode),
      );
      expect(modes).toEqual([["L3T3_KEY"], ["L2T3_KEY"], ["L1T3"]]);
    }
  });

  it("asks for no more than a camera is worth", () => {
    expect(bitrateFor({ width: 3840, height: 2160 })).toBe(3_000_000);
    expect(bitrateFor(HD, "av1")).toBeLessThan(bitrateFor(HD, "vp9"));
  });
});

describe("screenEncodings", () => {
  it("puts the sharp picture first", () => {
    const [small, sharp] = screenEncodings("vp8");
    expect(sharp).toMatchObject({ scaleResolutionDownBy: 1 });
    expect(small?.maxBitrate).toBeLessThan(sharp?.maxBitrate ?? 0);
    // Where a later encoding has one, Chromium refuses them all.
    expect(small).toMatchObject({ priority: "high", networkPriority: "high" });
    expect(sharp).not.toHaveProperty("priority");
    expect(screenEncodings("av1")).toHaveLength(1);
  });
});
