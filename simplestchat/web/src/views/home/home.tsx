/** The first page: make a room, come to one by its link, the rooms one made, the public ones. */

import { useEffect, useState } from "preact/hooks";
import { roomName } from "../../lib/names";
import { ApiError, makeRoom } from "../../net/api";
import { ownedRooms, rememberRoom } from "../../state/preferences";
import { go, roomFromText } from "../../state/router";
import { Button, Choice, Field } from "../ui/controls";
import { Mark } from "../ui/icons";
import { ThemeButton } from "../ui/theme";
import { OwnedRooms } from "./owned";
import { PublicRooms } from "./public";

type Visibility = "unlisted" | "public";

const VISIBILITY = [
  { value: "unlisted", label: "By link only", icon: "link" },
  { value: "public", label: "Public", icon: "globe" },
] as const;

function MakeRoom() {
  const [name, setName] = useState("");
  const [suggestion] = useState(() => roomName());
  const [visibility, setVisibility] = useState<Visibility>("unlisted");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const make = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      const { room, ownerToken } = await makeRoom({ name: name.trim() || suggestion, public: visibility === "public" });
      rememberRoom({ id: room.id, name: room.name, token: ownerToken, madeAtMs: Date.now() });
      go({ page: "room", room: room.id });
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : "The room could not be made. Try again.");
      setBusy(false);
    }
  };
  return (
    <form
      class="card make-room"
      onSubmit={(event) => {
        event.preventDefault();
        void make();
      }}
    >
      <h2>New room</h2>
      <Field
        testId="room-name-input"
        label="Room name"
        placeholder={suggestion}
        maxLength={64}
        value={name}
        problem={problem}
        onInput={setName}
      />
      <Choice testId="visibility" label="Who finds the room" value={visibility} options={VISIBILITY} onChange={setVisibility} />
      <p class="hint">
        {visibility === "public" ? "Anyone can find it in the list below." : "Only people with the link can find it."}
      </p>
      <Button testId="create-room" type="submit" tone="primary" icon="plus" busy={busy} wide>
        Make the room
      </Button>
    </form>
  );
}

function JoinByLink() {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const join = (): void => {
    const room = roomFromText(text);
    if (room === null) setProblem("Paste the whole link that you were given, or the last part of it.");
    else go({ page: "room", room });
  };
  return (
    <form
      class="join-link"
      onSubmit={(event) => {
        event.preventDefault();
        join();
      }}
    >
      <Field
        testId="join-link-input"
        label="Link or code of a room"
        placeholder="Got a link? Paste it here"
        icon="link"
        hideLabel
        value={text}
        problem={problem}
        onInput={(value) => {
          setText(value);
          setProblem(null);
        }}
      />
      <Button testId="join-link" type="submit" disabled={text.trim() === ""}>
        Go
      </Button>
    </form>
  );
}

export function Home() {
  useEffect(() => {
    document.title = "SimplestChat";
  }, []);
  return (
    <div class="home">
      <header class="home-head">
        <a class="brand" href="/" data-testid="brand">
          <Mark />
          <span>SimplestChat</span>
        </a>
        <ThemeButton />
      </header>
      <main>
        <section class="hero">
          <div class="hero-words">
            <h1>
              A room of your own, <em>in a second.</em>
            </h1>
            <p>Talk face to face and write side by side. Nothing to install, no account, just a link.</p>
            <JoinByLink />
          </div>
          <MakeRoom />
        </section>
        {ownedRooms.value.length > 0 && <OwnedRooms />}
        <PublicRooms />
      </main>
    </div>
  );
}
