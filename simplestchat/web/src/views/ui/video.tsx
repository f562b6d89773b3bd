import { useEffect, useRef } from "preact/hooks";

interface VideoProps {
  track: MediaStreamTrack;
  mirrored?: boolean;
  /** `cover` fills its place and crops; `contain` shows everything. */
  fit?: "cover" | "contain";
  label: string;
  testId?: string;
}

/** A track's picture, without its sound. */
export function Video({ track, mirrored, fit = "cover", label, testId }: VideoProps) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = element.current;
    if (!video) return;
    video.srcObject = new MediaStream([track]);
    // Muted pictures may always play; only a page that goes away refuses.
    video.play().catch(() => undefined);
    return () => {
      video.srcObject = null;
    };
  }, [track]);
  return (
    <video
      ref={element}
      class={`video video-${fit}${mirrored ? " video-mirrored" : ""}`}
      data-testid={testId}
      aria-label={label}
      autoplay
      playsInline
      muted
    />
  );
}
