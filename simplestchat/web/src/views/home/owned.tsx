import { useEffect, useState } from "preact/hooks";
import { people } from "../../lib/text";
import { changeRoom, closeRoom, findRoom, type RoomChanges, type RoomView } from "../../net/api";
import { notify } from "../../state/notices";
import { forgetRoom, type OwnedRoom, ownedRooms, renameOwnedRoom } from "../../state/preferences";
import { go } from "../../state/router";
import { RoomSettingsDialog } from "../room/settings";
import { Button } from "../ui/controls";
import { Icon } from "../ui/icons";
import { CopyLinkButton } from "../ui/share";

type Known = RoomView | "closed" | null;

/** A room of one's own as the server knows it; "closed" when it is not open there, but may be opened again. */
function useRoom(owned: OwnedRoom): [Known, (view: RoomView) => void] {
  const [view, setView] = useState<Known>(null);
  useEffect(() => {
    let current = true;
    findRoom(owned.id).then(
      (room) => current && setView(room ?? "closed"),
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [owned.id]);
  return [view, setView];
}

function Facts({ view }: { view: Known }) {
  if (!view) return <span class="presence">…</span>;
  if (view === "closed") return <span class="presence">Closed; enter it to open it again</span>;
  return (
    <>
      <span class={view.peers > 0 ? "presence presence-live" : "presence"}>
        {view.peers > 0 ? `${people(view.peers)} inside` : "Nobody inside"}
      </span>
      <span class="tag">
        <Icon name={view.public ? "globe" : "link"} size={14} /> {view.public ? "Public" : "By link only"}
      </span>
      {view.locked && (
        <span class="tag">
          <Icon name="lock" size={14} /> Locked
        </span>
      )}
      {view.audioOnly && (
        <span class="tag">
          <Icon name="headphones" size={14} /> Audio only
        </span>
      )}
    </>
  );
}

function OwnedRoomRow({ owned }: { owned: OwnedRoom }) {
  const [known, setView] = useRoom(owned);
  const view = known === "closed" ? null : known;
  const [managing, setManaging] = useState(false);
  const change = async (changes: RoomChanges): Promise<void> => {
    const changed = await changeRoom(owned.id, owned.token, changes);
    setView(changed);
    renameOwnedRoom(owned.id, changed.name);
  };
  const close = async (): Promise<void> => {
    await closeRoom(owned.id, owned.token);
    forgetRoom(owned.id);
    notify(`“${owned.name}” is closed`);
  };
  return (
    <li class="owned-room" data-testid="owned-room" data-room={owned.id}>
      <div class="owned-room-words">
        <span class="room-card-name" dir="auto">
          {view?.name ?? owned.name}
        </span>
        <span class="room-card-facts">
          <Facts view={known} />
        </span>
      </div>
      <div class="owned-room-actions">
        <CopyLinkButton testId="owned-copy" room={owned.id} />
        {known === "closed" ? (
          <Button testId="owned-forget" icon="close" onClick={() => forgetRoom(owned.id)}>
            Forget
          </Button>
        ) : (
          <Button testId="owned-manage" icon="settings" disabled={!view} onClick={() => setManaging(true)}>
            Manage
          </Button>
        )}
        <Button testId="owned-enter" tone="primary" onClick={() => go({ page: "room", room: owned.id })}>
          Enter
        </Button>
      </div>
      {managing && view && (
        <RoomSettingsDialog settings={view} onChange={change} onCloseRoom={close} onClose={() => setManaging(false)} />
      )}
    </li>
  );
}

export function OwnedRooms() {
  return (
    <section class="rooms" aria-labelledby="owned-rooms">
      <div class="section-head">
        <h2 id="owned-rooms">Your rooms</h2>
      </div>
      <ul class="owned-list" data-testid="owned-rooms">
        {ownedRooms.value.map((owned) => (
          <OwnedRoomRow key={owned.id} owned={owned} />
        ))}
      </ul>
    </section>
  );
}
