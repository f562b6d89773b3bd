import { describe, expect, it } from "vitest";
import { encodedQuality, incomingQuality } from "../src/call/quality";
import { bitrateText, layerText, percentText } from "../src/lib/figures";

type Entries = Record<string, unknown>[];
const report = (...entries: Entries) => new Map(entries.map((entry) => [entry.id, entry])) as unknown as RTCStatsReport;
const CODEC = { id: "codec", type: "codec", mimeType: "video/VP9" };

function inbound(timestamp: number, bytesReceived: number, packetsReceived: number, packetsLost: number, framesDecoded: number) {
  const counters = { bytesReceived, packetsReceived, packetsLost, framesDecoded };
  return { id: "in", type: "inbound-rtp", codecId: "codec", timestamp, frameWidth: 640, frameHeight: 360, jitter: 0.012, freezeCount: 2, ...counters };
}

describe("incomingQuality", () => {
  it("tells what came since the look before", () => {
    const first = incomingQuality(report(CODEC, inbound(1_000, 100_000, 100, 0, 30)));
    expect(first).toMatchObject({ bps: null, framesPerSecond: null, loss: null, codec: "VP9", width: 640, jitterMs: 12, freezes: 2 });
    const second = incomingQuality(report(CODEC, inbound(3_000, 350_000, 190, 10, 90)), first?.sample);
    expect(second).toMatchObject({ bps: 1_000_000, framesPerSecond: 30, loss: 0.1 });
  });

  it("does not make figures of counters that began anew", () => {
    const before = incomingQuality(report(inbound(1_000, 100_000, 100, 0, 30)))?.sample;
    expect(incomingQuality(report(inbound(2_000, 500, 2, 0, 1)), before)).toMatchObject({ bps: null, loss: null });
  });

  it("is nothing while nothing came", () => {
    expect(incomingQuality(report(CODEC))).toBeNull();
  });
});

describe("encodedQuality", () => {
  const sent = (rid: string, timestamp: number, bytesSent: number) => ({ id: `out-${rid}`, type: "outbound-rtp", rid, timestamp, bytesSent, framesEncoded: 1 });
  const settings = [{ rid: "r0", active: true }, { rid: "r1", active: true }, { rid: "r2", active: false }] as RTCRtpEncodingParameters[];

  it("lists the encodings as they were published, and which are off", () => {
    const found = encodedQuality(report(sent("r2", 1, 0), sent("r0", 1, 9), sent("r1", 1, 9)), settings);
    expect(found.map(({ rid, active }) => [rid, active])).toEqual([["r0", true], ["r1", true], ["r2", false]]);
  });

  it("counts each by itself, with what the server misses of it", () => {
    const remote = { id: "remote", type: "remote-inbound-rtp", localId: "out-r1", fractionLost: 0.05 };
    const before = new Map(encodedQuality(report(sent("r0", 1_000, 0), sent("r1", 1_000, 0)), settings).map((one) => [one.rid, one.sample]));
    const [low, high] = encodedQuality(report(sent("r0", 2_000, 20_000), sent("r1", 2_000, 60_000), remote), settings, before);
    expect([low?.bps, high?.bps]).toEqual([160_000, 480_000]);
    expect([low?.loss, high?.loss]).toEqual([null, 0.05]);
  });
});

describe("figures", () => {
  it("speaks plainly", () => {
    expect([null, 0, 149_600, 1_250_000].map(bitrateText)).toEqual(["–", "0 kbit/s", "150 kbit/s", "1.25 Mbit/s"]);
    expect([null, 0, 0.004, 0.25].map(percentText)).toEqual(["–", "0 %", "0.4 %", "25 %"]);
    expect(layerText(1, 2, { spatial: 3, temporal: 3 })).toBe("size 2 of 3, pace 3 of 3");
    expect(layerText(null, null, { spatial: 1, temporal: 1 })).toBe("the only one");
    expect(layerText(1, null, undefined)).toBe("size 2");
  });
});
