import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Call } from "../src/call/call";

/** The parts of a page that keys need. */
class Page extends EventTarget {
  hidden = false;
  readonly documentElement = { dataset: {} };
}

describe("the key that speaks", () => {
  let page: Page;
  let stop: () => void;
  let spoken: boolean[];

  beforeEach(async () => {
    page = new Page();
    vi.stubGlobal("document", page);
    vi.stubGlobal("window", new EventTarget());
    vi.stubGlobal("Element", class {});
    vi.stubGlobal("HTMLMediaElement", class {});
    const { followKeys } = await import("../src/views/call/shortcuts");
    spoken = [];
    const microphoneOn = { value: false };
    const setMicrophone = async (on: boolean): Promise<void> => void spoken.push((microphoneOn.value = on));
    stop = followKeys({ local: { microphoneOn, setMicrophone, microphoneProblem: { value: null } } } as unknown as Call);
  });

  afterEach(() => {
    stop();
    vi.unstubAllGlobals();
  });

  const press = (type: "keydown" | "keyup"): void => void page.dispatchEvent(Object.assign(new Event(type), { key: " " }));

  it("speaks as long as it is held", () => {
    press("keydown");
    expect(spoken).toEqual([true]);
    press("keyup");
    expect(spoken).toEqual([true, false]);
  });

  it("lets go when another window gets the focus", () => {
    press("keydown");
    window.dispatchEvent(new Event("blur"));
    expect(spoken).toEqual([true, false]);
    press("keyup");
    expect(spoken).toEqual([true, false]);
  });

  it("lets go when the page is hidden, and not when it is shown", () => {
    press("keydown");
    page.dispatchEvent(new Event("visibilitychange"));
    expect(spoken).toEqual([true]);
    page.hidden = true;
    page.dispatchEvent(new Event("visibilitychange"));
    expect(spoken).toEqual([true, false]);
  });

  it("leaves a microphone alone that is on for good", () => {
    window.dispatchEvent(new Event("blur"));
    expect(spoken).toEqual([]);
  });
});
