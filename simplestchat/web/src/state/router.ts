/** Which page is shown: the first page at `/`, a room at `/r/<room>`. */

import { signal } from "@preact/signals";

export type Route = { readonly page: "home" } | { readonly page: "room"; readonly room: string };

export function routeOf(path: string): Route {
  const match = /^\/r\/([^/]+)\/?$/u.exec(path);
  if (!match?.[1]) return { page: "home" };
  try {
    return { page: "room", room: decodeURIComponent(match[1]) };
  } catch {
    return { page: "home" };
  }
}

export const route = signal<Route>(routeOf(location.pathname));

export function pathOf(to: Route): string {
  return to.page === "home" ? "/" : `/r/${encodeURIComponent(to.room)}`;
}

export function go(to: Route): void {
  history.pushState(null, "", pathOf(to));
  route.value = to;
  scrollTo(0, 0);
}

/** The address that others open to come to a room. */
export function shareLink(room: string): string {
  return new URL(pathOf({ page: "room", room }), location.origin).href;
}

/** What a person pasted or typed: a whole link, or the last part of one. */
export function roomFromText(text: string): string | null {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  try {
    const found = routeOf(new URL(trimmed).pathname);
    return found.page === "room" ? found.room : null;
  } catch {
    const found = routeOf(trimmed.startsWith("/r/") ? trimmed : `/r/${trimmed}`);
    return found.page === "room" ? found.room : null;
  }
}

addEventListener("popstate", () => (route.value = routeOf(location.pathname)));
