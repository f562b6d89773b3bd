/** The place of the tiles: measures itself, arranges them, turns pages. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Call } from "../../call/call";
import { sameSet } from "../../call/speaking";
import type { Rect, Size } from "../../lib/layout";
import { people } from "../../lib/text";
import { IconButton } from "../ui/controls";
import { ShareLink } from "../ui/share";
import { panel } from "./actions";
import { QualityCard } from "./quality";
import { placeOf, TileView } from "./tile";
import { type Arrangement, arrange, personTiles, screenTiles, visiblePeople } from "./tiles";

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
    const visible = visiblePeople(arrangement);
    if (call.visible.peek() === null || !sameSet(visible, call.visible.peek() ?? new Set())) call.visible.value = visible;
  }, [arrangement]);
}

/** What the person keeps in view matters most to the server, too. */
function usePriority(call: Call, arrangement: Arrangement, pinned: string | null): void {
  const producerId = arrangement.placed.find(({ tile }) => tile.key === pinned)?.tile.producerId ?? null;
  useEffect(() => call.views.pin(producerId), [producerId]);
}

export function Stage({ call }: { call: Call }) {
  const [element, stage] = useSize();
  const [page, setPage] = useState(0);
  const [pinned, setPinned] = useState<string | null>(null);
  const [examined, setExamined] = useState<string | null>(null);
  const { roster, speaking, local } = call;
  const arriving = { tracks: call.tracks.value, receptions: call.receptions.value, soundOnly: call.soundOnly.value };
  const self = {
    peerId: call.selfId.value ?? "",
    name: call.name,
    camera: local.camera.value,
    screen: local.screen.value,
    muted: !local.microphoneOn.value,
  };
  const persons = personTiles(roster.value, arriving, self);
  const screens = screenTiles(roster.value, arriving, self);
  const gap = stage.width < NARROW ? GAP.narrow : GAP.wide;
  const arrangement = arrange(persons, screens, { stage, gap, page, pinned, activeSpeaker: call.activeSpeaker.value, invites: call.room.value !== null });
  const shownPage = Math.min(page, arrangement.pages - 1);
  const examinedTile = arrangement.placed.find(({ tile }) => tile.key === examined);
  useVisible(call, arrangement);
  usePriority(call, arrangement, pinned);
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
              examined={examined === placed.tile.key}
              onExamine={() => setExamined(examined === placed.tile.key ? null : placed.tile.key)}
              onView={(producerId, view) => call.views.set(producerId, view)}
              onPin={() => setPinned(pinned === placed.tile.key ? null : placed.tile.key)}
            />
          ))}
        {examinedTile && (
          <QualityCard
            key={examinedTile.tile.key}
            call={call}
            tile={examinedTile.tile}
            rect={examinedTile.rect}
            stage={stage}
            onClose={() => setExamined(null)}
          />
        )}
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
