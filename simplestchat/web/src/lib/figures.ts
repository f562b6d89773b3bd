/** Figures of a stream in words. */

const NONE = "–";

export function sizeText({ width, height }: { width: number; height: number }): string {
  return width > 0 && height > 0 ? `${width} × ${height}` : NONE;
}

export function bitrateText(bps: number | null): string {
  if (bps === null) return NONE;
  return bps >= 1_000_000 ? `${(bps / 1_000_000).toFixed(2)} Mbit/s` : `${Math.round(bps / 1000)} kbit/s`;
}

export function paceText(framesPerSecond: number | null): string {
  return framesPerSecond === null ? NONE : `${Math.round(framesPerSecond)}/s`;
}

export function percentText(share: number | null): string {
  if (share === null) return NONE;
  const percent = share * 100;
  return percent > 0 && percent < 10 ? `${percent.toFixed(1)} %` : `${Math.round(percent)} %`;
}

/** Which layer is shown: "size 2 of 3, pace 3 of 3". */
export function layerText(
  spatial: number | null,
  temporal: number | null,
  counts: { readonly spatial: number; readonly temporal: number } | undefined,
): string {
  if (spatial === null) return counts && counts.spatial > 1 ? NONE : "the only one";
  const of = (layer: number, count: number | undefined): string => (count && count > layer ? `${layer + 1} of ${count}` : String(layer + 1));
  return temporal === null ? `size ${of(spatial, counts?.spatial)}` : `size ${of(spatial, counts?.spatial)}, pace ${of(temporal, counts?.temporal)}`;
}
