import { type Theme, theme } from "../../state/preferences";
import { IconButton } from "./controls";
import type { IconName } from "./icons";

const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const FACE: Readonly<Record<Theme, { icon: IconName; label: string }>> = {
  system: { icon: "system", label: "Colours: like the system" },
  light: { icon: "sun", label: "Colours: light" },
  dark: { icon: "moon", label: "Colours: dark" },
};

/** Goes round: like the system, light, dark. */
export function ThemeButton() {
  const { icon, label } = FACE[theme.value];
  return <IconButton testId="theme-toggle" label={label} icon={icon} onClick={() => (theme.value = NEXT[theme.value])} />;
}
