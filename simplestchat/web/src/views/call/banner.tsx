import type { Call } from "../../call/call";
import { soundBlocked, unblockSound } from "./audio";

/** What is wrong with the connection just now, and what can be done about it. */
export function Banner({ call }: { call: Call }) {
  const connection = call.connection.value;
  const media = call.media.value;
  if (connection === "reconnecting" || connection === "connecting") {
    const refusal = call.refusal.value;
    const words = connection === "connecting" ? "Connecting…" : "The connection is lost. Reconnecting…";
    return (
      <div class="banner" role="status" data-testid="connection-banner" data-state={connection} data-reason={refusal?.reason}>
        <span class="spinner" aria-hidden="true" />
        <span>{refusal ? `${refusal.message} Trying again…` : words}</span>
        <button type="button" class="banner-action" data-testid="reconnect-now" onClick={() => call.hurry()}>
          Try now
        </button>
      </div>
    );
  }
  if (soundBlocked.value) {
    return (
      <div class="banner" role="status" data-testid="sound-banner">
        The browser keeps the sound off until you say so.
        <button type="button" class="banner-action" data-testid="enable-sound" onClick={unblockSound}>
          Turn the sound on
        </button>
      </div>
    );
  }
  if (media === "connecting" || media === "recovering") {
    return (
      <div class="banner banner-late" role="status" data-testid="media-banner" data-state={media}>
        <span class="spinner" aria-hidden="true" />
        {media === "connecting" ? "Setting up sound and picture…" : "Sound and picture are interrupted. Repairing…"}
      </div>
    );
  }
  return null;
}
