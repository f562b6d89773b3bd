import { useState } from "preact/hooks";
import { announce } from "../../state/notices";
import { shareLink } from "../../state/router";
import { Button } from "./controls";

/** Puts text on the clipboard; `false` when the browser does not let us. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

const SHOWN_MS = 2_000;

function useCopied(text: string): [boolean, () => void] {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    void copyText(text).then((done) => {
      announce(done ? "Link copied" : `Copy this link: ${text}`);
      setCopied(done);
      setTimeout(() => setCopied(false), SHOWN_MS);
    });
  };
  return [copied, copy];
}

/** The link to a room in a box, with a button that copies it. */
export function ShareLink({ room }: { room: string }) {
  const link = shareLink(room);
  const [copied, copy] = useCopied(link);
  return (
    <div class="share">
      <input
        class="input share-link"
        data-testid="share-link"
        aria-label="Link to this room"
        readOnly
        value={link}
        onFocus={(event) => event.currentTarget.select()}
      />
      <Button testId="share-copy" tone="primary" icon={copied ? "check" : "copy"} onClick={copy}>
        {copied ? "Copied" : "Copy"}
      </Button>
    </div>
  );
}

/** Just the button. */
export function CopyLinkButton({ room, testId }: { room: string; testId: string }) {
  const [copied, copy] = useCopied(shareLink(room));
  return (
    <Button testId={testId} icon={copied ? "check" : "link"} onClick={copy}>
      {copied ? "Copied" : "Copy link"}
    </Button>
  );
}
