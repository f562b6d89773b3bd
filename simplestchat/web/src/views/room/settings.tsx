/** What the owner of a room may change: the same dialog on the first page and in the call. */

import { useState } from "preact/hooks";
import { Button, Field, Switch } from "../ui/controls";
import { Dialog } from "../ui/dialog";

export interface Settings {
  readonly name: string;
  readonly public: boolean;
  readonly locked: boolean;
  readonly audioOnly: boolean;
}

interface Props {
  settings: Settings;
  onChange: (changes: Partial<Settings>) => Promise<void>;
  onCloseRoom: () => Promise<void>;
  onClose: () => void;
}

const message = (error: unknown): string => (error instanceof Error ? error.message : "That did not work. Try again.");

function CloseRoom({ onCloseRoom, onFailed }: { onCloseRoom: () => Promise<void>; onFailed: (text: string) => void }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const close = (): void => {
    setBusy(true);
    onCloseRoom().catch((error: unknown) => {
      setBusy(false);
      onFailed(message(error));
    });
  };
  if (!asking) {
    return (
      <Button testId="room-close" tone="danger" icon="trash" onClick={() => setAsking(true)}>
        Close the room…
      </Button>
    );
  }
  return (
    <div class="confirm" role="group" aria-label="Close the room?">
      <p>Everyone is sent out and the chat is deleted. This cannot be undone.</p>
      <div class="confirm-actions">
        <Button testId="room-close-cancel" onClick={() => setAsking(false)}>
          Keep it
        </Button>
        <Button testId="room-close-confirm" tone="danger" busy={busy} onClick={close}>
          Close for everyone
        </Button>
      </div>
    </div>
  );
}

function Switches({ settings, onChange }: { settings: Settings; onChange: (changes: Partial<Settings>) => void }) {
  return (
    <div class="switches">
      <Switch
        testId="room-lock"
        label="Locked"
        hint="Nobody else can come in"
        checked={settings.locked}
        onChange={(locked) => onChange({ locked })}
      />
      <Switch
        testId="room-audio-only"
        label="Audio only"
        hint="No cameras and no screens"
        checked={settings.audioOnly}
        onChange={(audioOnly) => onChange({ audioOnly })}
      />
      <Switch
        testId="room-public"
        label="Public"
        hint="Listed on the first page"
        checked={settings.public}
        onChange={(listed) => onChange({ public: listed })}
      />
    </div>
  );
}

export function RoomSettingsDialog({ settings, onChange, onCloseRoom, onClose }: Props) {
  const [name, setName] = useState(settings.name);
  const [problem, setProblem] = useState<string | null>(null);
  const change = (changes: Partial<Settings>): void => {
    setProblem(null);
    onChange(changes).catch((error: unknown) => setProblem(message(error)));
  };
  const trimmed = name.trim();
  return (
    <Dialog testId="room-settings" title="Room settings" onClose={onClose}>
      <form
        class="rename"
        onSubmit={(event) => {
          event.preventDefault();
          if (trimmed !== "" && trimmed !== settings.name) change({ name: trimmed });
        }}
      >
        <Field testId="room-rename-input" label="Name" maxLength={64} value={name} onInput={setName} />
        <Button testId="room-rename" type="submit" disabled={trimmed === "" || trimmed === settings.name}>
          Rename
        </Button>
      </form>
      <Switches settings={settings} onChange={change} />
      {problem && (
        <p class="field-problem" role="alert" data-testid="room-settings-problem">
          {problem}
        </p>
      )}
      <CloseRoom onCloseRoom={onCloseRoom} onFailed={setProblem} />
    </Dialog>
  );
}
