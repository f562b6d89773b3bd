/** The sound of the others. A browser may refuse to play before the person did something: then it waits for a press. */

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Call } from "../../call/call";

/** The browser refused to play; a press anywhere helps. */
export const soundBlocked = signal(false);

const outlets = new Set<HTMLAudioElement>();

export function unblockSound(): void {
  soundBlocked.value = false;
  for (const outlet of outlets) play(outlet);
}

function play(outlet: HTMLAudioElement): void {
  outlet.play().catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "NotAllowedError") soundBlocked.value = true;
  });
}

type SinkElement = HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> };

function Outlet({ track, speaker }: { track: MediaStreamTrack; speaker: string }) {
  const element = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    const outlet = element.current;
    if (!outlet) return;
    outlets.add(outlet);
    outlet.srcObject = new MediaStream([track]);
    play(outlet);
    return () => {
      outlets.delete(outlet);
      outlet.srcObject = null;
    };
  }, [track]);
  useEffect(() => {
    const outlet: SinkElement | null = element.current;
    // A speaker that was unplugged is refused; the default one goes on playing.
    outlet?.setSinkId?.(speaker).catch(() => undefined);
  }, [speaker]);
  return <audio ref={element} data-testid="remote-audio" />;
}

export function Sound({ call }: { call: Call }) {
  const speaker = call.local.chosen.speaker.value;
  const voices = [...call.tracks.value].filter(([, track]) => track.kind === "audio");
  useEffect(() => {
    const press = (): void => {
      if (soundBlocked.peek()) unblockSound();
    };
    addEventListener("pointerdown", press);
    addEventListener("keydown", press);
    return () => {
      removeEventListener("pointerdown", press);
      removeEventListener("keydown", press);
    };
  }, []);
  return (
    <div hidden>
      {voices.map(([id, track]) => (
        <Outlet key={id} track={track} speaker={speaker} />
      ))}
    </div>
  );
}
