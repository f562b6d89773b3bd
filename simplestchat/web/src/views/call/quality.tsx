/** A card over the stage: how good one tile's sound and picture are, second by second, while it is open. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Call } from "../../call/call";
import { type Encoded, encodedQuality, type Incoming, incomingQuality, type Sample } from "../../call/quality";
import type { Reception } from "../../call/reception";
import { producerOf } from "../../call/roster";
import type { Rect, Size } from "../../lib/layout";
import { bitrateText, layerText, paceText, percentText, sizeText } from "../../lib/figures";
import { IconButton } from "../ui/controls";
import { Sparkline } from "../ui/sparkline";
import { caption } from "./tile";
import type { Tile } from "./tiles";

const EVERY_MS = 1_000;
const HISTORY = 60;
const CARD = { width: 272, height: 330, margin: 8 } as const;

interface Look {
  readonly video: Incoming | null;
  readonly audio: Incoming | null;
  readonly encodings: readonly Encoded[];
  /** Bits per second of the picture, second by second. */
  readonly history: readonly (number | null)[];
}

const NOTHING: Look = { video: null, audio: null, encodings: [], history: [] };

async function lookAtOther(call: Call, tile: Tile, before: Look): Promise<Look> {
  const peer = call.roster.peek().get(tile.peerId);
  const incoming = call.engine?.incoming;
  if (!peer || !incoming) return NOTHING;
  const [picture, sound] = tile.kind === "screen" ? (["screen", "screen-audio"] as const) : (["camera", "microphone"] as const);
  const read = async (source: typeof picture | typeof sound, last: Sample | undefined): Promise<Incoming | null> => {
    const producer = producerOf(peer, source);
    const report = producer ? await incoming.statsOf(producer.id) : null;
    return report && incomingQuality(report, last);
  };
  const video = await read(picture, before.video?.sample);
  const audio = await read(sound, before.audio?.sample);
  return { video, audio, encodings: [], history: [...before.history, video?.bps ?? null].slice(-HISTORY) };
}

async function lookAtOneself(call: Call, tile: Tile, before: Look): Promise<Look> {
  const sent = await call.engine?.outgoing.sourceStats(tile.kind === "screen" ? "screen" : "camera");
  if (!sent) return NOTHING;
  const last = new Map(before.encodings.map(({ rid, sample }) => [rid, sample]));
  const encodings = encodedQuality(sent.report, sent.encodings, last);
  const known = encodings.filter(({ bps }) => bps !== null);
  const total = known.length > 0 ? known.reduce((sum, { bps }) => sum + (bps ?? 0), 0) : null;
  return { video: null, audio: null, encodings, history: [...before.history, total].slice(-HISTORY) };
}

function useLook(call: Call, tile: Tile): Look {
  const [look, setLook] = useState(NOTHING);
  useEffect(() => {
    let current = true;
    let last = NOTHING;
    const again = async (): Promise<void> => {
      const next = await (tile.own ? lookAtOneself : lookAtOther)(call, tile, last).catch(() => last);
      if (current) setLook((last = next));
    };
    void again();
    const timer = setInterval(() => void again(), EVERY_MS);
    return () => {
      current = false;
      clearInterval(timer);
    };
  }, [call, tile.key]);
  return look;
}

function Row({ name, value, testId }: { name: string; value: string; testId: string }) {
  return (
    <div class="quality-row">
      <dt>{name}</dt>
      <dd data-testid={testId}>{value}</dd>
    </div>
  );
}

function layerOf(call: Call, producerId: string | null, reception: Reception | undefined): string {
  const counts = call.engine?.incoming.layersOf(producerId ?? "");
  return layerText(reception?.spatialLayer ?? null, reception?.temporalLayer ?? null, counts);
}

function Received({ call, tile, look }: { call: Call; tile: Tile; look: Look }) {
  const { video, audio } = look;
  const reception = tile.producerId === null ? undefined : call.receptions.value.get(tile.producerId);
  return (
    <dl class="quality-rows">
      {video && (
        <>
          <Row name="Picture" value={`${sizeText(video)} ${video.codec}`.trim()} testId="quality-size" />
          <Row name="Frames" value={paceText(video.framesPerSecond)} testId="quality-frames" />
          <Row name="Bitrate" value={bitrateText(video.bps)} testId="quality-bitrate" />
          <Row name="Layer" value={layerOf(call, tile.producerId, reception)} testId="quality-layer" />
          <Row name="Lost" value={percentText(video.loss)} testId="quality-loss" />
          <Row name="Jitter" value={`${Math.round(video.jitterMs)} ms`} testId="quality-jitter" />
          <Row name="Freezes" value={String(video.freezes)} testId="quality-freezes" />
        </>
      )}
      {audio && (
        <Row
          name="Sound"
          value={`${bitrateText(audio.bps)}, ${percentText(audio.loss)} lost, ${Math.round(audio.jitterMs)} ms`}
          testId="quality-sound"
        />
      )}
    </dl>
  );
}

const LIMITED_WORDS: Readonly<Record<string, string>> = { bandwidth: "held back by the network", cpu: "held back by this device" };

function Sent({ encodings }: { encodings: readonly Encoded[] }) {
  const limited = encodings.map(({ limitedBy }) => LIMITED_WORDS[limitedBy]).find(Boolean);
  return (
    <>
      <ul class="quality-encodings">
        {encodings.map(({ rid, active, width, height, framesPerSecond, bps, codec, mode }) => (
          <li key={rid} class={active ? "" : "quality-off"} data-testid="quality-encoding" data-active={active}>
            <span>
              {active ? sizeText({ width, height }) : "Off"} <small>{[codec, mode].filter(Boolean).join(" ")}</small>
            </span>
            <span>{active ? `${bitrateText(bps)}, ${paceText(framesPerSecond)}` : "nobody needs it"}</span>
          </li>
        ))}
      </ul>
      {limited && <p class="quality-note">{`The picture is ${limited}.`}</p>}
    </>
  );
}

/** Beside the tile's upper corner, within the stage. */
function placeOfCard({ x, y, width }: Rect, stage: Size) {
  const { margin } = CARD;
  const left = Math.max(margin, Math.min(x + width - CARD.width - margin, stage.width - CARD.width - margin));
  const top = Math.max(margin, Math.min(y + margin, stage.height - CARD.height - margin));
  return { left: `${left}px`, top: `${top}px`, maxHeight: `${Math.max(0, stage.height - top - margin)}px` };
}

interface CardProps {
  call: Call;
  tile: Tile;
  rect: Rect;
  stage: Size;
  onClose: () => void;
}

export function QualityCard({ call, tile, rect, stage, onClose }: CardProps) {
  const look = useLook(call, tile);
  const element = useRef<HTMLElement>(null);
  const empty = !look.video && !look.audio && look.encodings.length === 0;
  const close = (): void => {
    // The button that opened the card is the one on the stage that is expanded.
    element.current?.parentElement?.querySelector<HTMLElement>("[aria-expanded=true]")?.focus();
    onClose();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    // What is open beside the card stays open.
    event.stopPropagation();
    close();
  };
  return (
    <section
      ref={element}
      class="quality"
      style={placeOfCard(rect, stage)}
      aria-label={`Quality of ${caption(tile)}`}
      data-testid="quality"
      data-peer={tile.peerId}
      onKeyDown={onKeyDown}
    >
      <header class="quality-head">
        <h3 dir="auto">{caption(tile)}</h3>
        <IconButton testId="quality-close" label="Close" icon="close" size={18} onClick={close} />
      </header>
      {look.history.some((bps) => bps !== null) && (
        <Sparkline values={look.history} steps={HISTORY} label="Bitrate of the last minute" />
      )}
      {empty && <p class="quality-note">{tile.own ? "Nothing is sent just now." : "Nothing arrives just now."}</p>}
      {tile.own ? <Sent encodings={look.encodings} /> : <Received call={call} tile={tile} look={look} />}
    </section>
  );
}
