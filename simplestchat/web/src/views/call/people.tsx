import type { Call } from "../../call/call";
import { type Peer, producerOf } from "../../call/roster";
import { notify } from "../../state/notices";
import { Avatar } from "../ui/avatar";
import { IconButton } from "../ui/controls";
import { Icon } from "../ui/icons";

interface RowProps {
  name: string;
  own?: boolean;
  owner: boolean;
  muted: boolean;
  cameraOff: boolean;
  presenting: boolean;
  speaking: boolean;
  onRemove?: (() => void) | undefined;
}

function Row({ name, own, owner, muted, cameraOff, presenting, speaking, onRemove }: RowProps) {
  const states = [owner && "made this room", muted && "muted", cameraOff && "camera off", presenting && "shares a screen"];
  return (
    <li class={speaking ? "person person-speaking" : "person"} data-testid="person" data-name={name} data-muted={muted}>
      <Avatar name={name} size="small" />
      <span class="person-name">
        <span dir="auto">{name}</span>
        {own && <span class="person-note"> (you)</span>}
        <span class="visually-hidden">{states.filter(Boolean).join(", ")}</span>
      </span>
      <span class="person-states" aria-hidden="true">
        {owner && <Icon name="crown" size={17} />}
        {presenting && <Icon name="screen" size={17} />}
        {cameraOff && <Icon name="camera-off" size={17} />}
        {muted && <Icon name="microphone-off" size={17} />}
      </span>
      {onRemove && <IconButton testId="person-remove" label={`Send ${name} out`} icon="remove" size={18} onClick={onRemove} />}
    </li>
  );
}

function OtherRow({ call, peer }: { call: Call; peer: Peer }) {
  const microphone = producerOf(peer, "microphone");
  const camera = producerOf(peer, "camera");
  const remove = (): void => {
    call.kick(peer.id).catch((error: unknown) => notify(error instanceof Error ? error.message : "That did not work.", "problem"));
  };
  return (
    <Row
      name={peer.name}
      owner={peer.role === "owner"}
      muted={!microphone || microphone.paused}
      cameraOff={!camera || camera.paused}
      presenting={producerOf(peer, "screen") !== undefined}
      speaking={call.speaking.value.has(peer.id)}
      onRemove={call.isOwner.value ? remove : undefined}
    />
  );
}

export function PeoplePanel({ call, onClose }: { call: Call; onClose: () => void }) {
  const { local, roster } = call;
  const self = call.selfId.value ?? "";
  return (
    <aside class="panel" aria-label="People" data-testid="people-panel">
      <header class="panel-head">
        <h2>People ({roster.value.size + 1})</h2>
        <IconButton testId="panel-close" label="Close people" icon="close" onClick={onClose} />
      </header>
      <ul class="people" data-testid="people">
        <Row
          name={call.name}
          own
          owner={call.isOwner.value}
          muted={!local.microphoneOn.value}
          cameraOff={!local.cameraOn.value}
          presenting={local.screen.value !== null}
          speaking={call.speaking.value.has(self)}
        />
        {[...roster.value.values()].map((peer) => (
          <OtherRow key={peer.id} call={call} peer={peer} />
        ))}
      </ul>
    </aside>
  );
}
