/** Pieces that all pages share. */

import type { ComponentChildren } from "preact";
import { Mark } from "../views/ui/icons";
import { VERDICTS } from "./words";

export type Verdict = keyof typeof VERDICTS;

const SIGNS: Readonly<Record<Verdict | "warning", string>> = {
  pass: "M5 12.5l4.5 4.5L19 7.5",
  fail: "M6 6l12 12M18 6L6 18",
  void: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM6 6l12 12",
  warning: "M12 4.5l8.7 15a.5.5 0 0 1-.4.8H3.7a.5.5 0 0 1-.4-.8zM12 10v4.5M12 17.3h.01",
};

export function Sign({ name, size = 20 }: { name: keyof typeof SIGNS; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={SIGNS[name]} stroke-width="2.4" />
    </svg>
  );
}

export function Head({ kind, title, children }: { kind: string; title: string; children?: ComponentChildren }) {
  return (
    <header class="head">
      <p class="kind">
        <Mark size={24} /> SimplestChat <span>{kind}</span>
      </p>
      <h1>{title}</h1>
      {children}
    </header>
  );
}

export function Section({ title, hint, children }: { title: string; hint?: string; children: ComponentChildren }) {
  const id = title.toLowerCase().replaceAll(/[^a-z]+/gu, "-");
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {hint && <p class="hint">{hint}</p>}
      {children}
    </section>
  );
}

export function Badge({ verdict }: { verdict: Verdict }) {
  return (
    <span class={`badge badge-${verdict}`}>
      <Sign name={verdict} size={14} /> <span class="badge-word">{VERDICTS[verdict].title}</span>
    </span>
  );
}

/** A table that may be wider than a phone: it scrolls by itself, also from the keyboard. */
export function Table({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      <table>{children}</table>
    </div>
  );
}

/** Names and values in two columns. */
export function Facts({ facts }: { facts: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
