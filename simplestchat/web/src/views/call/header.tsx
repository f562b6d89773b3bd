import { useEffect, useState } from "preact/hooks";
import type { Call } from "../../call/call";
import { duration } from "../../lib/time";
import { Button } from "../ui/controls";
import { Icon, Mark } from "../ui/icons";
import { ThemeButton } from "../ui/theme";
import { dialog, setSoundOnly } from "./actions";

function Clock({ sinceMs }: { sinceMs: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <span class="call-clock" role="timer" aria-label="Time in the call">
      {duration((now - sinceMs) / 1000)}
    </span>
  );
}

export function CallHeader({ call }: { call: Call }) {
  const room = call.room.value;
  return (
    <header class="call-head">
      <Mark size={26} />
      <h1 dir="auto" data-testid="room-name">
        {room?.name ?? ""}
      </h1>
      {room?.locked && (
        <span class="tag" data-testid="tag-locked">
          <Icon name="lock" size={14} /> <span class="tag-text">Locked</span>
        </span>
      )}
      {room?.audioOnly && (
        <span class="tag" data-testid="tag-audio-only">
          <Icon name="headphones" size={14} /> <span class="tag-text">Audio only</span>
        </span>
      )}
      {call.soundOnly.value && !room?.audioOnly && (
        <button type="button" class="tag tag-button" data-testid="tag-sound-only" onClick={() => void setSoundOnly(call, false)}>
          <Icon name="headphones" size={14} /> <span class="tag-text">Audio only</span>
          <span class="visually-hidden">: show pictures again</span>
        </button>
      )}
      {call.joinedAtMs.value > 0 && <Clock sinceMs={call.joinedAtMs.value} />}
      <span class="call-head-gap" />
      <Button testId="invite" tone="quiet" icon="link" disabled={!room} onClick={() => (dialog.value = "share")}>
        Invite
      </Button>
      <ThemeButton />
    </header>
  );
}
