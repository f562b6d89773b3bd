/** What is derived from people's names and messages. */

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function firstGrapheme(word: string): string {
  for (const { segment } of segmenter.segment(word)) return segment;
  return "";
}

/** One or two letters that stand for a name: the first letters of its first and last word. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter((word) => /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(word));
  const first = words[0];
  const last = words.at(-1);
  if (first === undefined || last === undefined) return "?";
  const letters = words.length === 1 ? firstGrapheme(first) : firstGrapheme(first) + firstGrapheme(last);
  return letters.toLocaleUpperCase();
}

/** A colour angle (0–359) that is always the same for the same text. */
export function hueOf(text: string): number {
  let hash = 2166136261;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16777619);
  return (hash >>> 0) % 360;
}

export interface TextSegment {
  readonly text: string;
  /** Set when the segment is a link; always http or https. */
  readonly href?: string;
}

const LINK = /\bhttps?:\/\/[^\s<>"'`]+/giu;
const CLOSERS: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };

/** The link without the punctuation that ends the sentence around it. */
function trimLink(link: string): string {
  let end = link.length;
  while (end > 0) {
    const character = link[end - 1] ?? "";
    const opener = CLOSERS[character];
    const head = link.slice(0, end);
    const unbalanced = opener !== undefined && head.split(character).length > head.split(opener).length;
    if (!unbalanced && !/[.,;:!?]/u.test(character)) break;
    end -= 1;
  }
  return link.slice(0, end);
}

function safeHref(link: string): string | undefined {
  try {
    const url = new URL(link);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** Splits a message into plain text and safe links; joined again it is the same text. */
export function linkify(text: string): TextSegment[] {
  const segments: TextSegment[] = [];
  let position = 0;
  for (const match of text.matchAll(LINK)) {
    const link = trimLink(match[0]);
    const href = safeHref(link);
    if (href === undefined) continue;
    if (match.index > position) segments.push({ text: text.slice(position, match.index) });
    segments.push({ text: link, href });
    position = match.index + link.length;
  }
  if (position < text.length) segments.push({ text: text.slice(position) });
  return segments;
}

/** "1 person", "3 people". */
export function people(count: number): string {
  return count === 1 ? "1 person" : `${count} people`;
}
