/** Before the call: see oneself, be sure that one is heard, choose, and go in. Works without any device. */

import { useEffect, useState } from "preact/hooks";
import type { LocalMedia } from "../../call/local";
import { findRoom, type RoomView } from "../../net/api";
import { people } from "../../lib/text";
import { joinWithCamera, joinWithMicrophone, soundOnly, userName } from "../../state/preferences";
import { enterRoom, localMedia, releaseDevices } from "../../state/session";
import { go } from "../../state/router";
import { Avatar } from "../ui/avatar";
import { Button, Field, IconButton } from "../ui/controls";
import { Icon } from "../ui/icons";
import { LevelBar } from "../ui/level";
import { ThemeButton } from "../ui/theme";
import { Video } from "../ui/video";
import { DeviceProblems, DeviceSelects } from "./devices";

function whyEmpty(audioOnly: boolean): string {
  if (audioOnly) return "This room is audio only";
  return soundOnly.value ? "Audio only is on: no pictures until you turn the camera on" : "Your camera is off";
}

function Preview({ local, name, audioOnly }: { local: LocalMedia; name: string; audioOnly: boolean }) {
  const track = local.camera.value;
  const microphoneOn = local.microphoneOn.value;
  const setMicrophone = (on: boolean): void => {
    joinWithMicrophone.value = on;
    void local.setMicrophone(on);
  };
  const setCamera = (on: boolean): void => {
    joinWithCamera.value = on;
    if (on) soundOnly.value = false;
    void local.setCamera(on);
  };
  return (
    <div class="preview" data-testid="preview">
      {track ? (
        <Video track={track} mirrored label="Your camera" testId="preview-video" />
      ) : (
        <div class="preview-empty">
          <Avatar name={name || "?"} size="tile" />
          <span>{whyEmpty(audioOnly)}</span>
        </div>
      )}
      <div class="preview-controls">
        <IconButton
          testId="preview-microphone"
          label={microphoneOn ? "Turn the microphone off" : "Turn the microphone on"}
          icon={microphoneOn ? "microphone" : "microphone-off"}
          pressed={microphoneOn}
          variant={microphoneOn ? "control" : "off"}
          onClick={() => setMicrophone(!microphoneOn)}
        />
        <IconButton
          testId="preview-camera"
          label={track ? "Turn the camera off" : "Turn the camera on"}
          icon={track ? "camera" : "camera-off"}
          pressed={track !== null}
          variant={track ? "control" : "off"}
          disabled={audioOnly}
          onClick={() => setCamera(track === null)}
        />
      </div>
      {microphoneOn && <LevelBar level={local.level} />}
    </div>
  );
}

type Lookup = { readonly state: "loading" | "new" | "unknown" } | { readonly state: "found"; readonly view: RoomView };

/** What is known of the room before one is in it. */
function useRoomView(room: string): Lookup {
  const [lookup, setLookup] = useState<Lookup>({ state: "loading" });
  useEffect(() => {
    let current = true;
    findRoom(room).then(
      (view) => current && setLookup(view ? { state: "found", view } : { state: "new" }),
      () => current && setLookup({ state: "unknown" }),
    );
    return () => {
      current = false;
    };
  }, [room]);
  return lookup;
}

function presence(lookup: Lookup): string {
  if (lookup.state === "new") return "Nobody is here yet: going in makes this room.";
  if (lookup.state !== "found") return "";
  const { peers } = lookup.view;
  return peers === 0 ? "Nobody is inside yet." : `${people(peers)} inside.`;
}

/** Asks for the devices that were on last time; a refusal leaves the switch off and says why. */
function useDevices(local: LocalMedia, audioOnly: boolean): void {
  useEffect(() => {
    if (joinWithMicrophone.peek()) void local.setMicrophone(true);
    if (joinWithCamera.peek() && !audioOnly && !soundOnly.peek()) void local.setCamera(true);
    void local.refreshDevices();
  }, []);
  useEffect(() => {
    if (audioOnly) void local.setCamera(false);
  }, [audioOnly]);
}

function howOneJoins(local: LocalMedia): string {
  const camera = local.cameraOn.value;
  const microphone = local.microphoneOn.value;
  if (camera && microphone) return "Others will see and hear you.";
  if (microphone) return "Others will hear you, not see you.";
  if (camera) return "Others will see you, not hear you.";
  return "You join without camera and microphone: you can listen, watch and write.";
}

interface FormProps {
  room: string;
  title: string;
  lookup: Lookup;
  local: LocalMedia;
  name: string;
  needsPassword: boolean;
  onName: (name: string) => void;
}

function Facts({ lookup }: { lookup: Lookup }) {
  return (
    <p class="prejoin-facts">
      {lookup.state === "found" && lookup.view.locked && (
        <span class="tag">
          <Icon name="lock" size={14} /> Locked
        </span>
      )}
      <span>{presence(lookup)}</span>
    </p>
  );
}

function JoinForm({ room, title, lookup, local, name, needsPassword, onName }: FormProps) {
  const [password, setPassword] = useState("");
  const asksPassword = needsPassword || (lookup.state === "found" && lookup.view.hasPassword);
  const trimmed = name.trim();
  const join = (event: Event): void => {
    event.preventDefault();
    if (trimmed === "") return;
    userName.value = trimmed;
    enterRoom(room, trimmed, asksPassword ? password : null);
  };
  return (
    <form class="prejoin-form" onSubmit={join}>
      <p class="eyebrow">You are about to enter</p>
      <h1 dir="auto" data-testid="prejoin-room">
        {title}
      </h1>
      <Facts lookup={lookup} />
      <Field testId="name-input" label="Your name" autocomplete="name" maxLength={64} value={name} onInput={onName} />
      {asksPassword && (
        <Field
          testId="password-input"
          label="Password of the room"
          secret
          value={password}
          problem={needsPassword ? "That password is not right." : null}
          onInput={setPassword}
        />
      )}
      <Button testId="join" type="submit" tone="primary" icon="arrow-right" disabled={trimmed === ""} wide>
        Go in
      </Button>
      <p class="hint" data-testid="join-summary">
        {howOneJoins(local)}
      </p>
    </form>
  );
}

export function PreJoin({ room, needsPassword }: { room: string; needsPassword: boolean }) {
  const local = localMedia();
  const lookup = useRoomView(room);
  const view = lookup.state === "found" ? lookup.view : null;
  const audioOnly = view?.audioOnly ?? false;
  const [name, setName] = useState(userName.peek());
  useDevices(local, audioOnly);
  const title = view?.name ?? (lookup.state === "loading" ? "…" : room);
  useEffect(() => {
    document.title = `${title} – SimplestChat`;
  }, [title]);
  const back = (): void => {
    releaseDevices();
    go({ page: "home" });
  };
  return (
    <div class="prejoin">
      <header class="prejoin-head">
        <Button testId="prejoin-back" tone="plain" icon="arrow-left" onClick={back}>
          All rooms
        </Button>
        <ThemeButton />
      </header>
      <main class="prejoin-main">
        <section class="prejoin-media" aria-label="Camera and microphone">
          <Preview local={local} name={name} audioOnly={audioOnly} />
          <DeviceProblems local={local} />
          <DeviceSelects local={local} />
        </section>
        <JoinForm
          room={room}
          title={title}
          lookup={lookup}
          local={local}
          name={name}
          needsPassword={needsPassword}
          onName={setName}
        />
      </main>
    </div>
  );
}
