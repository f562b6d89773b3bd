/** The written side of a call. */

import { Fragment } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Call } from "../../call/call";
import type { ChatEntry, Gap } from "../../call/chatlog";
import { MAX_TEXT } from "../../call/messages";
import { linkify } from "../../lib/text";
import { clockTime, dayName } from "../../lib/time";
import { Avatar } from "../ui/avatar";
import { Button, IconButton } from "../ui/controls";
import { Icon } from "../ui/icons";

/** Messages of one person this close together stand under one name. */
const SAME_GROUP_MS = 5 * 60_000;
/** So close to the end counts as reading the newest. */
const NEAR_END_PX = 80;
const COUNTER_FROM = MAX_TEXT - 500;

function Text({ text }: { text: string }) {
  return (
    <>
      {linkify(text).map((segment, index) =>
        segment.href === undefined ? (
          segment.text
        ) : (
          <a key={index} data-testid="message-link" href={segment.href} target="_blank" rel="noopener noreferrer nofollow">
            {segment.text}
          </a>
        ),
      )}
    </>
  );
}

function Delivery({ call, entry }: { call: Call; entry: ChatEntry }) {
  if (entry.delivery === "pending") {
    return (
      <span class="message-state" data-testid="message-pending">
        <Icon name="clock" size={13} /> Sending…
      </span>
    );
  }
  if (entry.delivery !== "failed") return null;
  return (
    <span class="message-state message-state-failed" data-testid="message-failed">
      Not sent
      <button type="button" class="text-button" data-testid="message-retry" onClick={() => call.messages.retry(entry.clientId)}>
        Try again
      </button>
      <button type="button" class="text-button" data-testid="message-discard" onClick={() => call.messages.discard(entry.clientId)}>
        Discard
      </button>
    </span>
  );
}

function isSameGroup(before: ChatEntry | undefined, entry: ChatEntry): boolean {
  return before !== undefined && before.peerId === entry.peerId && entry.timeMs - before.timeMs < SAME_GROUP_MS;
}

interface MessageProps {
  call: Call;
  entry: ChatEntry;
  before: ChatEntry | undefined;
  /** Something is missing between this message and the one before. */
  apart: boolean;
}

function MessageView({ call, entry, before, apart }: MessageProps) {
  const own = entry.own || entry.peerId === call.selfId.value;
  const sameDay = before !== undefined && dayName(before.timeMs, entry.timeMs) === "Today";
  const grouped = sameDay && !apart && isSameGroup(before, entry);
  return (
    <>
      {!sameDay && (
        <li class="day" role="presentation">
          {dayName(entry.timeMs, Date.now())}
        </li>
      )}
      <li
        class={`message${own ? " message-own" : ""}${grouped ? " message-grouped" : ""}`}
        data-testid="message"
        data-own={own}
        data-delivery={entry.delivery}
        data-seq={entry.seq}
      >
        {!own && !grouped && <Avatar name={entry.name} size="small" />}
        <div class="message-main">
          {!grouped && (
            <p class="message-head">
              <span class={own ? "visually-hidden" : "message-name"} dir="auto">
                {own ? "You" : entry.name}
              </span>
              <time dateTime={new Date(entry.timeMs).toISOString()}>{clockTime(entry.timeMs)}</time>
            </p>
          )}
          <p class="message-text" dir="auto" data-testid="message-text" title={clockTime(entry.timeMs)}>
            <Text text={entry.text} />
          </p>
          <Delivery call={call} entry={entry} />
        </div>
      </li>
    </>
  );
}

/** Says that messages are missing between two others, and brings them when they can still be had. */
function GapView({ call, gap }: { call: Call; gap: Gap }) {
  const count = gap.before - gap.after - 1;
  const messages = count === 1 ? "1 message is" : `${count} messages are`;
  return (
    <li class="gap" data-testid="chat-missing" data-count={count} data-kept={gap.kept}>
      <span>{gap.kept ? `${messages} missing here` : `${messages} no longer kept`}</span>
      {gap.kept && (
        <Button testId="chat-missing-load" tone="plain" busy={call.messages.filling.value} onClick={() => void call.messages.fillGaps()}>
          Load
        </Button>
      )}
    </li>
  );
}

function Beginning({ call }: { call: Call }) {
  const { more, truncated, loading } = call.messages;
  if (more.value) {
    return (
      <div class="messages-more">
        <Button testId="chat-older" tone="plain" busy={loading.value} onClick={() => void call.messages.loadOlder()}>
          Earlier messages
        </Button>
      </div>
    );
  }
  if (!truncated.value) return null;
  return (
    <p class="messages-more" data-testid="chat-truncated">
      Earlier messages are no longer kept
    </p>
  );
}

/** Stays at the newest message while it is looked at, and where it was while older ones are read. */
function useScroll(entries: readonly ChatEntry[]) {
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const heightBefore = useRef(0);
  const [below, setBelow] = useState(false);
  const toEnd = (): void => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  };
  const first = entries[0]?.key;
  const last = entries.at(-1)?.key;
  const lastFirst = useRef(first);
  const lastLast = useRef(last);
  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return;
    const grewAbove = lastFirst.current !== first && lastFirst.current !== undefined;
    const grewBelow = lastLast.current !== last;
    lastFirst.current = first;
    lastLast.current = last;
    if (atEnd.current) toEnd();
    else if (grewAbove) element.scrollTop += element.scrollHeight - heightBefore.current;
    else if (grewBelow) setBelow(true);
    heightBefore.current = element.scrollHeight;
  }, [entries]);
  const onScroll = (): void => {
    const element = list.current;
    if (!element) return;
    atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
    heightBefore.current = element.scrollHeight;
    if (atEnd.current) setBelow(false);
  };
  return { list, onScroll, below, toEnd };
}

function Composer({ call }: { call: Call }) {
  const [text, setText] = useState("");
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => area.current?.focus({ preventScroll: true }), []);
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);
  const trimmed = text.trim();
  const send = (): void => {
    if (trimmed === "" || trimmed.length > MAX_TEXT) return;
    call.messages.send(trimmed);
    setText("");
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={area}
        class="composer-text"
        data-testid="chat-input"
        aria-label="Message"
        placeholder="Write to everyone"
        dir="auto"
        rows={1}
        maxLength={MAX_TEXT}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      {text.length > COUNTER_FROM && <span class="composer-count">{MAX_TEXT - text.length}</span>}
      <button type="submit" class="composer-send" data-testid="chat-send" aria-label="Send" disabled={trimmed === ""}>
        <Icon name="send" size={20} />
      </button>
    </form>
  );
}

export function ChatPanel({ call, onClose }: { call: Call; onClose: () => void }) {
  const { entries, gaps } = call.messages;
  const gapBefore = new Map(gaps.value.map((gap) => [gap.before, gap]));
  const { list, onScroll, below, toEnd } = useScroll(entries.value);
  useEffect(() => {
    const look = (): void => call.messages.look(!document.hidden);
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      call.messages.look(false);
    };
  }, []);
  return (
    <aside class="panel" aria-label="Chat" data-testid="chat-panel">
      <header class="panel-head">
        <h2>Chat</h2>
        <IconButton testId="panel-close" label="Close chat" icon="close" onClick={onClose} />
      </header>
      <div class="messages" data-testid="messages" ref={list} onScroll={onScroll} tabIndex={0} role="log" aria-label="Messages">
        <Beginning call={call} />
        {entries.value.length === 0 ? (
          <div class="empty" data-testid="chat-empty">
            <span class="empty-picture">
              <Icon name="chat" size={28} />
            </span>
            <h3>Nothing written yet</h3>
            <p>Whoever comes later can read what was written before.</p>
          </div>
        ) : (
          <ol>
            {entries.value.map((entry, index) => {
              const gap = entry.seq === null ? undefined : gapBefore.get(entry.seq);
              return (
                <Fragment key={entry.key}>
                  {gap && <GapView call={call} gap={gap} />}
                  <MessageView call={call} entry={entry} before={entries.value[index - 1]} apart={gap !== undefined} />
                </Fragment>
              );
            })}
          </ol>
        )}
      </div>
      {below && (
        <button type="button" class="to-end" data-testid="chat-to-end" onClick={toEnd}>
          <Icon name="chevron-down" size={16} /> New messages
        </button>
      )}
      <Composer call={call} />
    </aside>
  );
}
