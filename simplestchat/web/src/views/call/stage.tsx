/** The place of the tiles: measures itself, arranges them, turns pages. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Call } from "../../call/call";
import { sameSet } from "../../call/speaking";
import type { Rect, Size } from "../../lib/layout";
import { people } from "../../lib/text";
import { IconButton } from "../ui/controls";
import { ShareLink } from "../ui/share";
import { panel } from "./actions";
import { placeOf, TileView } from "./tile";
import { type Arrangement, arrange, personTiles, screenTiles } from "./tiles";

const GAP = { narrow: 8, wide: 12 } as const;
const NARROW = 640;

function useSize() {
  const element = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const target = element.current;
    if (!target) return;
    const measure = (): void => setSize({ width: target.clientWidth, height: target.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(target);
    return () => observer.disconnect();
  }, []);
  return [element, size] as const;
}

function Invitation({ rect, room }: { rect: Rect; room: string }) {
  return (
    <div class="invitation" style={placeOf(rect)} data-testid="invitation">
      <h2>Nobody else is here yet</h2>
      <p>Send this link to whoever you want to meet.</p>
      <ShareLink room={room} />
    </div>
  );
}

function Pages({ page, pages, onTurn }: { page: number; pages: number; onTurn: (page: number) => void }) {
  return (
    <nav class="pages" aria-label="Pages of people">
      <IconButton testId="page-previous" label="Previous page" icon="chevron-left" disabled={page === 0} onClick={() => onTurn(page - 1)} />
      <span data-testid="page-number" aria-live="polite">
        {page + 1} / {pages}
      </span>
      <IconButton testId="page-next" label="Next page" icon="chevron-right" disabled={page >= pages - 1} onClick={() => onTurn(page + 1)} />
    </nav>
  );
}

/** Pictures that nobody sees need not be sent. */
function useVisible(call: Call, arrangement: Arrangement): void {
  useEffect(() => {
    const visible = new Set(arrangement.placed.map(({ tile }) => tile.peerId));
    if (call.visible.peek() === null || !sameSet(visible, call.visible.peek() ?? new Set())) call.visible.value = visible;
  }, [arrangement]);
}

export function Stage({ call }: { call: Call }) {
  const [element, stage] = useSize();
  const [page, setPage] = useState(0);
  const [pinned, setPinned] = useState<string | null>(null);
  const { roster, tracks, speaking, local } = call;
  const self = {
    peerId: call.selfId.value ?? "",
    name: call.name,
    camera: local.camera.value,
    screen: local.screen.value,
    muted: !local.microphoneOn.value,
  };
  const persons = personTiles(roster.value, tracks.value, self);
  const screens = screenTiles(roster.value, tracks.value, self);
  const gap = stage.width < NARROW ? GAP.narrow : GAP.wide;
  const arrangement = arrange(persons, screens, { stage, gap, page, pinned, activeSpeaker: call.activeSpeaker.value, invites: call.room.value !== null });
  const shownPage = Math.min(page, arrangement.pages - 1);
  useVisible(call, arrangement);
  return (
    <section class="stage" aria-label="People in the call" data-testid="stage" data-tiles={persons.length + screens.length}>
      <div class="stage-area" ref={element}>
        {stage.width > 0 &&
          arrangement.placed.map((placed) => (
            <TileView
              key={placed.tile.key}
              placed={placed}
              speaking={placed.tile.kind === "person" && speaking.value.has(placed.tile.peerId)}
              pinned={pinned === placed.tile.key}
              onPin={() => setPinned(pinned === placed.tile.key ? null : placed.tile.key)}
            />
          ))}
        {arrangement.rest && (
          <button
            type="button"
            class="rest"
            data-testid="stage-rest"
            aria-label={`${people(arrangement.rest.count)} more: show everyone`}
            style={placeOf(arrangement.rest.rect)}
            onClick={() => (panel.value = "people")}
          >
            +{arrangement.rest.count}
          </button>
        )}
        {arrangement.invitation && call.room.value && <Invitation rect={arrangement.invitation} room={call.room.value.id} />}
      </div>
      {arrangement.pages > 1 && <Pages page={shownPage} pages={arrangement.pages} onTurn={setPage} />}
    </section>
  );
}
