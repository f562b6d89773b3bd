/** A button that opens a list of actions: arrows move, Escape closes, a press elsewhere closes. */

import { useEffect, useRef, useState } from "preact/hooks";
import { IconButton } from "./controls";
import { Icon, type IconName } from "./icons";

export interface MenuItem {
  readonly testId: string;
  readonly label: string;
  readonly icon: IconName;
  readonly danger?: boolean;
  readonly run: () => void;
}

interface MenuProps {
  testId: string;
  label: string;
  items: readonly MenuItem[];
  variant?: "plain" | "control";
  /** Where the list opens. */
  place?: "above" | "below";
}

function useOutsidePress(open: boolean, close: () => void) {
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const press = (event: PointerEvent): void => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) close();
    };
    document.addEventListener("pointerdown", press);
    return () => document.removeEventListener("pointerdown", press);
  }, [open]);
  return root;
}

export function Menu({ testId, label, items, variant = "plain", place = "below" }: MenuProps) {
  const [open, setOpen] = useState(false);
  const root = useOutsidePress(open, () => setOpen(false));
  const buttons = (): HTMLElement[] => [...(root.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
  useEffect(() => {
    if (open) buttons()[0]?.focus();
  }, [open]);
  const close = (): void => {
    setOpen(false);
    root.current?.querySelector<HTMLElement>("[aria-expanded]")?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!open) return;
    const all = buttons();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
    const to = moves[event.key];
    if (event.key === "Escape") close();
    else if (event.key === "Tab") setOpen(false);
    else if (to !== undefined) all.at(to % all.length)?.focus();
    else return;
    if (event.key !== "Tab") event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class={`menu menu-${place}`} ref={root} onKeyDown={onKeyDown}>
      <IconButton testId={testId} label={label} icon="more" variant={variant} expanded={open} onClick={() => setOpen(!open)} />
      {open && (
        <div class="menu-list" role="menu" aria-label={label}>
          {items.map((item) => (
            <button
              key={item.testId}
              type="button"
              role="menuitem"
              tabIndex={-1}
              class={item.danger ? "menu-item menu-item-danger" : "menu-item"}
              data-testid={item.testId}
              onClick={() => {
                close();
                item.run();
              }}
            >
              <Icon name={item.icon} size={20} />
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
