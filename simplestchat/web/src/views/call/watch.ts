/** Sees how large each picture is on the screen, and whether anybody can see it. */

import { useEffect, useRef } from "preact/hooks";
import { HIDDEN, type View } from "../../call/views";

type Report = (view: View | null) => void;

interface Watched {
  readonly report: Report;
  width: number;
  height: number;
  inView: boolean;
}

/** One pair of observers for all tiles. */
class Watcher {
  readonly #watched = new Map<Element, Watched>();
  readonly #sizes = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) this.#change(target, { width: contentRect.width, height: contentRect.height });
  });
  readonly #places = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) this.#change(target, { inView: isIntersecting });
  });

  constructor() {
    document.addEventListener("visibilitychange", () => this.#tellAll());
    document.addEventListener("enterpictureinpicture", () => this.#tellAll());
    document.addEventListener("leavepictureinpicture", () => this.#tellAll());
  }

  watch(element: Element, report: Report): () => void {
    const { width, height } = element.getBoundingClientRect();
    const watched = { report, width, height, inView: true };
    this.#watched.set(element, watched);
    this.#tell(element, watched);
    this.#sizes.observe(element);
    this.#places.observe(element);
    return () => {
      this.#sizes.unobserve(element);
      this.#places.unobserve(element);
      this.#watched.delete(element);
      report(null);
    };
  }

  #change(element: Element, change: Partial<Watched>): void {
    const watched = this.#watched.get(element);
    if (watched) this.#tell(element, Object.assign(watched, change));
  }

  #tellAll(): void {
    for (const [element, watched] of this.#watched) this.#tell(element, watched);
  }

  #tell(element: Element, { report, width, height, inView }: Watched): void {
    // A picture in a window of its own is seen whatever becomes of the page.
    const apart = document.pictureInPictureElement && element.contains(document.pictureInPictureElement);
    if (!apart && (document.hidden || !inView)) return report(HIDDEN);
    const density = window.devicePixelRatio || 1;
    report({ width: Math.round(width * density), height: Math.round(height * density) });
  }
}

let shared: Watcher | null = null;

/** Reports the size of an element for as long as it is there and stands for the same picture. */
export function useView(pictureId: string | null, report: (pictureId: string, view: View | null) => void) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!element.current || pictureId === null) return undefined;
    shared ??= new Watcher();
    return shared.watch(element.current, (view) => report(pictureId, view));
  }, [pictureId]);
  return element;
}
