import { useEffect, useRef, useState } from "preact/hooks";
import { people } from "../../lib/text";
import { listRooms, type RoomView } from "../../net/api";
import { go, pathOf } from "../../state/router";
import { Button, Field } from "../ui/controls";
import { Icon } from "../ui/icons";

const TYPING_PAUSE_MS = 250;
const REFRESH_MS = 10_000;

interface Listing {
  readonly rooms: readonly RoomView[];
  readonly cursor: string | null;
  readonly state: "loading" | "ready" | "failed";
}

/** The public rooms that match, kept current while the page is looked at. */
function useListing(query: string): [Listing, () => void] {
  const [listing, setListing] = useState<Listing>({ rooms: [], cursor: null, state: "loading" });
  const current = useRef(0);
  const load = async (cursor: string | null, before: readonly RoomView[]): Promise<void> => {
    const turn = ++current.current;
    try {
      const page = await listRooms(query.trim(), cursor);
      if (turn !== current.current) return;
      setListing({ rooms: [...before, ...page.rooms], cursor: page.cursor ?? null, state: "ready" });
    } catch {
      if (turn === current.current) setListing((old) => ({ ...old, state: "failed" }));
    }
  };
  useEffect(() => {
    const first = setTimeout(() => void load(null, []), query === "" ? 0 : TYPING_PAUSE_MS);
    const refresh = setInterval(() => {
      if (!document.hidden) void load(null, []);
    }, REFRESH_MS);
    return () => {
      current.current += 1;
      clearTimeout(first);
      clearInterval(refresh);
    };
  }, [query]);
  return [listing, () => void load(listing.cursor, listing.rooms)];
}

function RoomCard({ room }: { room: RoomView }) {
  return (
    <li>
      <a
        class="room-card"
        href={pathOf({ page: "room", room: room.id })}
        data-testid="public-room"
        data-room={room.id}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          go({ page: "room", room: room.id });
        }}
      >
        <span class="room-card-name" dir="auto">
          {room.name}
        </span>
        <span class="room-card-facts">
          <span class={room.peers > 0 ? "presence presence-live" : "presence"}>
            {room.peers > 0 ? `${people(room.peers)} inside` : "Nobody inside yet"}
          </span>
          {room.locked && (
            <span class="tag">
              <Icon name="lock" size={14} /> Locked
            </span>
          )}
          {room.audioOnly && (
            <span class="tag">
              <Icon name="headphones" size={14} /> Audio only
            </span>
          )}
        </span>
        <Icon name="arrow-right" size={20} />
      </a>
    </li>
  );
}

function Nothing({ query, state }: { query: string; state: Listing["state"] }) {
  if (state === "loading") return <div class="skeletons" aria-label="Loading" data-testid="rooms-loading" />;
  const words =
    state === "failed"
      ? { title: "The list cannot be loaded", text: "The server does not answer. It is tried again in a moment." }
      : query.trim() === ""
        ? { title: "No public rooms right now", text: "Make one and choose “Public”: it shows up here for everyone." }
        : { title: `Nothing found for “${query.trim()}”`, text: "Try another word, or make that room yourself." };
  return (
    <div class="empty" data-testid="rooms-empty">
      <span class="empty-picture">
        <Icon name={state === "failed" ? "warning" : "globe"} size={28} />
      </span>
      <h3>{words.title}</h3>
      <p>{words.text}</p>
    </div>
  );
}

export function PublicRooms() {
  const [query, setQuery] = useState("");
  const [listing, loadMore] = useListing(query);
  return (
    <section class="rooms" aria-labelledby="public-rooms">
      <div class="section-head">
        <h2 id="public-rooms">Public rooms</h2>
        <Field
          testId="room-search"
          label="Search public rooms"
          placeholder="Search"
          icon="search"
          hideLabel
          value={query}
          onInput={setQuery}
        />
      </div>
      {listing.rooms.length === 0 ? (
        <Nothing query={query} state={listing.state} />
      ) : (
        <ul class="room-grid" data-testid="public-rooms">
          {listing.rooms.map((room) => (
            <RoomCard key={room.id} room={room} />
          ))}
        </ul>
      )}
      {listing.cursor !== null && (
        <div class="rooms-more">
          <Button testId="rooms-more" onClick={loadMore}>
            Show more
          </Button>
        </div>
      )}
    </section>
  );
}
