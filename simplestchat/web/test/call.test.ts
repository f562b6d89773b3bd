import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Call } from "../src/call/call";
import { Engine } from "../src/call/engine";
import type { LocalMedia } from "../src/call/local";
import { TestSocket } from "./socket";

const ROOM = { id: "r", name: "r", public: false, locked: false, audioOnly: false, hasPassword: false, videoLimit: 0, role: "member" };
const JOINED = {
  peerId: "me",
  resumeToken: "token",
  room: { ...ROOM, codecs: ["vp9", "vp8"] },
  peers: [],
  chat: { epoch: "e", messages: [] },
  seq: 1,
  resumed: false,
  reset: true,
  missed: [],
  own: { transports: [], producers: [], consumers: [] },
};

/** An engine that writes down which order of codecs it is told. */
function testEngine() {
  const told: unknown[] = [];
  const outgoing = { prefer: (codecs: unknown) => void told.push(codecs) };
  const incoming = { levels: () => new Map() };
  const engine = { outgoing, incoming, send: () => void told.push("send"), receive: () => undefined, stop: () => undefined } as unknown as Engine;
  return { engine, told };
}

const silent = { value: null };
const local = { microphone: silent, camera: silent, screen: silent, screenAudio: silent, microphoneOn: silent, cameraOn: silent } as unknown as LocalMedia;

describe("Call", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("publishes nothing before it knows the order of codecs that came while the engine started", async () => {
    const socket = new TestSocket();
    const { engine, told } = testEngine();
    let started = (): void => undefined;
    vi.spyOn(Engine, "start").mockReturnValue(new Promise((resolve) => (started = () => resolve(engine))));
    const call = new Call({ room: "r", name: "Ada", token: null, password: null, local, open: () => socket, soundOnly: signal(false), codec: null });
    call.start();
    socket.open();
    await vi.advanceTimersByTimeAsync(0);
    socket.answer("room.join", JOINED);
    await vi.advanceTimersByTimeAsync(0);
    const { role: _role, ...settings } = ROOM;
    socket.receive({ jsonrpc: "2.0", method: "room.updated", params: { ...settings, codecs: ["vp8"] }, seq: 2 });
    started();
    await vi.advanceTimersByTimeAsync(0);
    expect(told.slice(0, 2)).toEqual([["vp8"], "send"]);
    await call.leave();
  });
});
