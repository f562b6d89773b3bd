/** Notices that the device is on another network. */

/** What some browsers tell of the network: they say "change" for every guess of its speed, too. */
type Network = EventTarget & { readonly type?: string };

/** Calls back when the network returned or became another; the result ends it. */
export function followNetwork(onChange: () => void): () => void {
  const network = (navigator as Navigator & { readonly connection?: Network }).connection;
  let type = network?.type;
  const changed = (): void => {
    const before = type;
    type = network?.type;
    // Nothing can be done without a network; `online` comes when there is one.
    if (type !== before && type !== "none" && navigator.onLine) onChange();
  };
  addEventListener("online", onChange);
  network?.addEventListener("change", changed);
  return () => {
    removeEventListener("online", onChange);
    network?.removeEventListener("change", changed);
  };
}
