/** After the call, or instead of it: what happened, and the ways on. */

import type { Ending } from "../../call/call";
import { ended } from "../../state/session";
import { go } from "../../state/router";
import { Button } from "../ui/controls";
import { Icon, type IconName } from "../ui/icons";
import { ThemeButton } from "../ui/theme";

interface Words {
  readonly icon: IconName;
  readonly title: string;
  readonly text: string;
  /** What the button that tries again says; absent where trying is of no use. */
  readonly again?: string;
}

const BY_KIND: Readonly<Record<"left" | "closed" | "expired" | "kicked", Words>> = {
  left: { icon: "leave", title: "You left the room", text: "The others can go on without you. Come back whenever you like.", again: "Go back in" },
  closed: { icon: "trash", title: "The room is closed", text: "Its owner closed it for everyone." },
  expired: { icon: "clock", title: "The room is gone", text: "It was empty for so long that it was tidied away." },
  kicked: { icon: "remove", title: "You were sent out", text: "The owner of the room asked you to leave.", again: "Ask to come in again" },
};

const BY_REASON: Readonly<Record<string, Words>> = {
  room_full: { icon: "people", title: "The room is full", text: "As soon as somebody leaves there is a place for you.", again: "Try again" },
  room_locked: { icon: "lock", title: "The room is locked", text: "Its owner lets nobody else in just now. Ask them to unlock it.", again: "Try again" },
  not_found: { icon: "search", title: "There is no such room", text: "The link may be incomplete, or the room was closed." },
  banned: { icon: "remove", title: "You cannot come in", text: "You were banned from this room." },
  incompatible_codecs: {
    icon: "warning",
    title: "This browser cannot join",
    text: "It lacks the sound or video formats that calls need. A current Chrome, Edge, Firefox or Safari has them.",
  },
};

function wordsFor(ending: Ending): Words {
  if (ending.kind !== "refused") return BY_KIND[ending.kind];
  return BY_REASON[ending.reason] ?? { icon: "warning", title: "You could not come in", text: ending.message, again: "Try again" };
}

export function Ended({ ending, name }: { ending: Ending; name: string }) {
  const { icon, title, text, again } = wordsFor(ending);
  const kind = ending.kind === "refused" ? ending.reason : ending.kind;
  return (
    <div class="ended">
      <header class="prejoin-head">
        <span />
        <ThemeButton />
      </header>
      <main class="ended-main" data-testid="ended" data-kind={kind}>
        <span class="empty-picture">
          <Icon name={icon} size={32} />
        </span>
        {name && (
          <p class="eyebrow" dir="auto">
            {name}
          </p>
        )}
        <h1>{title}</h1>
        <p>{text}</p>
        <div class="ended-actions">
          {again && (
            <Button testId="ended-again" tone="primary" icon="retry" onClick={() => (ended.value = null)}>
              {again}
            </Button>
          )}
          <Button
            testId="ended-home"
            tone={again ? "quiet" : "primary"}
            icon="arrow-left"
            onClick={() => {
              ended.value = null;
              go({ page: "home" });
            }}
          >
            All rooms
          </Button>
        </div>
      </main>
    </div>
  );
}
