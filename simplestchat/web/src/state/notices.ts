/** Short messages at the edge of the screen, and words for screen readers alone. */

import { signal } from "@preact/signals";

export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly tone: "info" | "problem";
  readonly action?: { readonly label: string; readonly run: () => void } | undefined;
}

const SHOWN_MS = 4_500;
const MOST = 3;

export const notices = signal<readonly Notice[]>([]);
/** Read aloud politely when it changes. */
export const announcement = signal("");

let nextId = 1;

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

/** What was said no longer matters: the page that it was about is gone. */
export function dismissAll(): void {
  notices.value = [];
}

/** Shows a message for a moment; the region it appears in is read aloud. Its id, to dismiss it sooner. */
export function notify(text: string, tone: Notice["tone"] = "info", action?: Notice["action"]): number {
  const notice: Notice = { id: nextId++, text, tone, action };
  notices.value = [...notices.value.slice(1 - MOST), notice];
  setTimeout(() => dismiss(notice.id), tone === "problem" ? SHOWN_MS * 2 : SHOWN_MS);
  return notice.id;
}

/** Tells those who listen instead of look. */
export function announce(text: string): void {
  announcement.value = text;
}
