import { hueOf, initials } from "../../lib/text";

/** The first letters of a name on a colour that is always the same for that name. */
export function Avatar({ name, size }: { name: string; size?: "small" | "medium" | "tile" }) {
  return (
    <span class={`avatar avatar-${size ?? "medium"}`} style={{ "--hue": String(hueOf(name)) }} aria-hidden="true">
      {initials(name)}
    </span>
  );
}
