import type { Call } from "../../call/call";
import { singleKeys } from "../../state/preferences";
import { DeviceProblems, DeviceSelects } from "../room/devices";
import { RoomSettingsDialog } from "../room/settings";
import { Switch } from "../ui/controls";
import { Dialog } from "../ui/dialog";
import { LevelBar } from "../ui/level";
import { ShareLink } from "../ui/share";
import { dialog } from "./actions";
import { SHORTCUTS } from "./shortcuts";

const close = (): void => {
  dialog.value = null;
};

function Help() {
  return (
    <Dialog testId="help" title="Keyboard shortcuts" onClose={close}>
      <dl class="keys">
        {SHORTCUTS.map(({ key, label }) => (
          <div key={key} class="keys-row">
            <dt>{label}</dt>
            <dd>
              <kbd>{key.toUpperCase()}</kbd>
            </dd>
          </div>
        ))}
        <div class="keys-row">
          <dt>Speak while it is held</dt>
          <dd>
            <kbd>Space</kbd>
          </dd>
        </div>
        <div class="keys-row">
          <dt>Close the panel or the dialog</dt>
          <dd>
            <kbd>Esc</kbd>
          </dd>
        </div>
      </dl>
      <Switch
        testId="single-keys"
        label="Single-key shortcuts"
        hint="Switch them off if speech input or a stray hand triggers them"
        checked={singleKeys.value}
        onChange={(on) => (singleKeys.value = on)}
      />
    </Dialog>
  );
}

function Devices({ call }: { call: Call }) {
  return (
    <Dialog testId="devices" title="Devices" onClose={close}>
      <DeviceSelects local={call.local} />
      <LevelBar level={call.local.level} />
      <DeviceProblems local={call.local} />
    </Dialog>
  );
}

function Share({ room }: { room: string }) {
  return (
    <Dialog testId="share" title="Invite people" onClose={close}>
      <p class="hint">Whoever opens this link can come in.</p>
      <ShareLink room={room} />
    </Dialog>
  );
}

export function CallDialogs({ call }: { call: Call }) {
  const room = call.room.value;
  if (!room) return null;
  switch (dialog.value) {
    case "help":
      return <Help />;
    case "devices":
      return <Devices call={call} />;
    case "share":
      return <Share room={room.id} />;
    case "room":
      return (
        <RoomSettingsDialog
          settings={room}
          onChange={(changes) => call.updateRoom(changes)}
          onCloseRoom={() => call.closeRoom()}
          onClose={close}
        />
      );
    default:
      return null;
  }
}
