import type { VNode } from "preact";
import { describe, expect, it, vi } from "vitest";
import type { Call } from "../src/call/call";
import type { Tile } from "../src/views/call/tiles";

const card = vi.hoisted(() => ({ parentElement: { querySelector: (_selector: string): unknown => null } }));

// The card is drawn once and by hand: this machine has no elements.
vi.mock("preact/hooks", () => ({
  useRef: () => ({ current: card }),
  useState: <T>(initial: T) => [initial, () => undefined],
  useEffect: () => undefined,
  useId: () => "id",
}));

const { QualityCard } = await import("../src/views/call/quality");

type Node = VNode<Record<string, unknown>>;

function find(node: Node, fits: (props: Record<string, unknown>) => boolean): Node | undefined {
  if (typeof node !== "object" || node === null) return undefined;
  if (fits(node.props)) return node;
  const children = [node.props.children].flat(Infinity) as Node[];
  return children.map((child) => find(child, fits)).find(Boolean);
}

function draw() {
  const seen: string[] = [];
  card.parentElement.querySelector = (selector) => ({ focus: () => seen.push(`focus ${selector}`) });
  const tile = { key: "p", peerId: "p", name: "P", own: true, kind: "person" } as Tile;
  const rect = { x: 0, y: 0, width: 300, height: 200 };
  const node = QualityCard({ call: {} as Call, tile, rect, stage: rect, onClose: () => void seen.push("closed") }) as Node;
  const press = (key: string): void => (node.props.onKeyDown as (event: object) => void)({ key, stopPropagation: () => void seen.push("kept") });
  const button = find(node, ({ testId }) => testId === "quality-close");
  return { seen, press, close: button?.props.onClick as () => void };
}

describe("QualityCard", () => {
  it("gives the focus back to the button that opened it", () => {
    const { seen, close } = draw();
    close();
    expect(seen).toEqual(["focus [aria-expanded=true]", "closed"]);
  });

  it("is closed by Escape, and nothing beside it", () => {
    const { seen, press } = draw();
    press("Escape");
    expect(seen).toEqual(["kept", "focus [aria-expanded=true]", "closed"]);
  });

  it("keeps no other key to itself", () => {
    const { seen, press } = draw();
    press("m");
    expect(seen).toEqual([]);
  });
});
