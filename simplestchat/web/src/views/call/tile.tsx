import type { Rect } from "../../lib/layout";
import type { Placed, Tile } from "./tiles";
import { Avatar } from "../ui/avatar";
import { IconButton } from "../ui/controls";
import { Icon } from "../ui/icons";
import { Video } from "../ui/video";

/** Where a rectangle of the stage lies, for an element that stands at its corner. */
export function placeOf({ x, y, width, height }: Rect) {
  return { transform: `translate(${x}px, ${y}px)`, width: `${width}px`, height: `${height}px` };
}

interface Props {
  placed: Placed;
  speaking: boolean;
  pinned: boolean;
  onPin: () => void;
}

function caption({ tile }: Placed): string {
  if (tile.kind === "screen") return tile.own ? "Your screen" : `${tile.name}’s screen`;
  return tile.own ? `${tile.name} (you)` : tile.name;
}

function description(placed: Placed, speaking: boolean): string {
  const { tile } = placed;
  if (tile.kind === "screen") return caption(placed);
  const states = [tile.muted && "muted", !tile.track && "camera off", speaking && "speaking"].filter(Boolean);
  return [caption(placed), ...states].join(", ");
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
      {tile.kind === "person" && !tile.track && (
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

/** One person or screen on the stage. */
export function TileView({ placed, speaking, pinned, onPin }: Props) {
  const { tile, rect, large } = placed;
  const small = rect.width < 170;
  const classes = ["tile", `tile-${tile.kind}`, large && "tile-large", small && "tile-small", speaking && "tile-speaking"];
  const words = caption(placed);
  return (
    <div
      class={classes.filter(Boolean).join(" ")}
      role="group"
      aria-label={description(placed, speaking)}
      data-testid={tile.own ? "tile-self" : "tile"}
      data-kind={tile.kind}
      data-peer={tile.peerId}
      data-name={tile.name}
      data-muted={tile.muted}
      data-camera={tile.track !== null}
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
      <Plate tile={tile} words={words} />
      <div class="tile-actions">
        <IconButton
          testId="tile-pin"
          label={pinned ? "Show with the others again" : `Show ${words} large`}
          icon={pinned ? "pin-off" : "pin"}
          pressed={pinned}
          size={18}
          onClick={onPin}
        />
      </div>
    </div>
  );
}
