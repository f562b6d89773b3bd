import { afterEach, describe, expect, it, vi } from "vitest";
import * as capture from "../src/call/capture";
import { LocalMedia } from "../src/call/local";

const track = () => ({ stop: vi.fn(), addEventListener: () => undefined }) as unknown as MediaStreamTrack;

describe("LocalMedia", () => {
  afterEach(() => void vi.restoreAllMocks());

  /** A person who is asked for a screen and takes their time. */
  const asked = () => {
    const tracks = { video: track(), audio: track() };
    let pick = (): void => undefined;
    const picked = new Promise<capture.ScreenTracks>((resolve) => (pick = () => resolve(tracks)));
    vi.spyOn(capture, "captureScreen").mockReturnValue(picked);
    const local = new LocalMedia();
    return { local, tracks, sharing: local.startScreen(), pick };
  };

  it("shares the screen that is picked", async () => {
    const { local, tracks, sharing, pick } = asked();
    pick();
    await sharing;
    expect(local.screen.value).toBe(tracks.video);
    expect(local.screenAudio.value).toBe(tracks.audio);
    expect(tracks.video.stop).not.toHaveBeenCalled();
  });

  it("lets go of a screen that is picked when the devices were given back already", async () => {
    const { local, tracks, sharing, pick } = asked();
    local.close();
    pick();
    await expect(sharing).rejects.toMatchObject({ problem: "cancelled" });
    expect(tracks.video.stop).toHaveBeenCalled();
    expect(tracks.audio.stop).toHaveBeenCalled();
    expect(local.screen.value).toBeNull();
  });
});
