import type { View } from "../../call/views";
import type { Rect } from "../../lib/layout";
import type { Placed, Tile } from "./tiles";
import { Avatar } from "../ui/avatar";
import { IconButton } from "../ui/controls";
import { Icon } from "../ui/icons";
import { Video } from "../ui/video";
import { useView } from "./watch";

/** Where a rectangle of the stage lies, for an element that stands at its corner. */
export function placeOf({ x, y, width, height }: Rect) {
  return { transform: `translate(${x}px, ${y}px)`, width: `${width}px`, height: `${height}px` };
}

interface Props {
  placed: Placed;
  speaking: boolean;
  pinned: boolean;
  /** Whether the figures of this tile are shown. */
  examined: boolean;
  onPin: () => void;
  onExamine: () => void;
  onView: (producerId: string, view: View | null) => void;
}

/** Why somebody's picture is not shown; those whom the room leaves out for now look as if their camera were off. */
const HELD_WORDS: Readonly<Record<NonNullable<Tile["held"]>, string | null>> = {
  "last-n": null,
  server: null,
  "sound-only": "Not shown: audio only",
  bandwidth: "Not shown: weak connection",
};

export function caption(tile: Tile): string {
  if (tile.kind === "screen") return tile.own ? "Your screen" : `${tile.name}’s screen`;
  return tile.own ? `${tile.name} (you)` : tile.name;
}

const isCameraOff = ({ track, held }: Tile): boolean => track === null && held === null;

function description(placed: Placed, speaking: boolean): string {
  const { tile } = placed;
  if (tile.kind === "screen") return caption(tile);
  const states = [tile.muted && "muted", isCameraOff(tile) && "camera off", tile.held && HELD_WORDS[tile.held], speaking && "speaking"].filter(Boolean);
  return [caption(tile), ...states].join(", ");
}

/** The name, with what is off. */
function Plate({ tile, words }: { tile: Tile; words: string }) {
  return (
    <div class="tile-plate">
      {tile.kind === "person" && tile.muted && (
        <span class="tile-badge" data-testid="badge-muted">
          <Icon name="microphone-off" size={15} />
        </span>
      )}
      {tile.kind === "person" && isCameraOff(tile) && (
        <span class="tile-badge tile-badge-quiet tile-badge-camera" data-testid="badge-camera-off">
          <Icon name="camera-off" size={15} />
        </span>
      )}
      {tile.kind === "screen" && (
        <span class="tile-badge tile-badge-quiet">
          <Icon name="screen" size={15} />
        </span>
      )}
      <span class="tile-name" dir="auto">
        {words}
      </span>
    </div>
  );
}

function Actions({ tile, pinned, examined, onPin, onExamine }: Pick<Props, "pinned" | "examined" | "onPin" | "onExamine"> & { tile: Tile }) {
  const words = caption(tile);
  return (
    <div class="tile-actions">
      <IconButton
        testId="tile-quality"
        label={`Quality of ${words}`}
        icon="signal"
        expanded={examined}
        size={18}
        onClick={onExamine}
      />
      <IconButton
        testId="tile-pin"
        label={pinned ? "Show with the others again" : `Show ${words} large`}
        icon={pinned ? "pin-off" : "pin"}
        pressed={pinned}
        size={18}
        onClick={onPin}
      />
    </div>
  );
}

/** One person or screen on the stage. */
export function TileView({ placed, speaking, pinned, examined, onPin, onExamine, onView }: Props) {
  const { tile, rect, large } = placed;
  const small = rect.width < 170;
  const classes = ["tile", `tile-${tile.kind}`, large && "tile-large", small && "tile-small", speaking && "tile-speaking"];
  const words = caption(tile);
  const held = tile.held && HELD_WORDS[tile.held];
  const element = useView(tile.producerId, onView);
  return (
    <div
      ref={element}
      class={classes.filter(Boolean).join(" ")}
      role="group"
      aria-label={description(placed, speaking)}
      data-testid={tile.own ? "tile-self" : "tile"}
      data-kind={tile.kind}
      data-peer={tile.peerId}
      data-name={tile.name}
      data-muted={tile.muted}
      data-camera={tile.track !== null}
      data-held={tile.held ?? undefined}
      data-speaking={speaking}
      style={placeOf(rect)}
      onDblClick={onPin}
    >
      {tile.kind === "person" && <Avatar name={tile.name} size="tile" />}
      {tile.track && (
        <Video
          track={tile.track}
          mirrored={tile.own && tile.kind === "person"}
          fit={tile.kind === "screen" ? "contain" : "cover"}
          label={words}
          testId="tile-video"
        />
      )}
      {held && !small && (
        <p class={tile.kind === "screen" ? "tile-held tile-held-screen" : "tile-held"} data-testid="tile-held">
          {held}
        </p>
      )}
      <Plate tile={tile} words={words} />
      <Actions tile={tile} pinned={pinned} examined={examined} onPin={onPin} onExamine={onExamine} />
    </div>
  );
}
