/** Choosing devices, and plain words for when there are none or they are refused. */

import type { CaptureProblem } from "../../call/capture";
import type { DeviceKind, LocalMedia } from "../../call/local";
import { Icon, type IconName } from "../ui/icons";

const KINDS: readonly { kind: DeviceKind; list: "microphones" | "cameras" | "speakers"; label: string; icon: IconName }[] = [
  { kind: "microphone", list: "microphones", label: "Microphone", icon: "microphone" },
  { kind: "camera", list: "cameras", label: "Camera", icon: "camera" },
  { kind: "speaker", list: "speakers", label: "Speaker", icon: "speaker" },
];

/** Only some browsers let a page choose where its sound goes. */
const canChooseSpeaker = "setSinkId" in HTMLMediaElement.prototype;

function DeviceSelect({ local, entry }: { local: LocalMedia; entry: (typeof KINDS)[number] }) {
  const devices = local.devices.value[entry.list].filter((device) => device.deviceId !== "");
  const chosen = local.chosen[entry.kind].value;
  const current = devices.some((device) => device.deviceId === chosen) ? chosen : (devices[0]?.deviceId ?? "");
  return (
    <label class="device">
      <Icon name={entry.icon} size={19} />
      <span class="visually-hidden">{entry.label}</span>
      <select
        class="select"
        data-testid={`device-${entry.kind}`}
        value={current}
        disabled={devices.length === 0}
        onChange={(event) => void local.choose(entry.kind, event.currentTarget.value)}
      >
        {devices.length === 0 && <option value="">No {entry.label.toLowerCase()} to choose</option>}
        {devices.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || `${entry.label} ${index + 1}`}
          </option>
        ))}
      </select>
    </label>
  );
}

export function DeviceSelects({ local }: { local: LocalMedia }) {
  return (
    <div class="devices">
      {KINDS.filter((entry) => entry.kind !== "speaker" || canChooseSpeaker).map((entry) => (
        <DeviceSelect key={entry.kind} local={local} entry={entry} />
      ))}
    </div>
  );
}

const WORDS: Readonly<Record<CaptureProblem, (device: string) => string>> = {
  denied: (device) => `The browser does not allow your ${device}. Press the icon beside the address to allow it.`,
  missing: (device) => `No ${device} was found.`,
  busy: (device) => `Your ${device} is used by another program.`,
  insecure: (device) => `Browsers give the ${device} only to pages with https:// in front. You can still listen and write.`,
  unsupported: (device) => `This browser cannot use your ${device}.`,
  cancelled: () => "",
};

export function problemText(problem: CaptureProblem, device: "camera" | "microphone"): string {
  return WORDS[problem](device);
}

/** One line for each device that does not work, or one for both when it is the same. */
export function DeviceProblems({ local }: { local: LocalMedia }) {
  const camera = local.cameraProblem.value;
  const microphone = local.microphoneProblem.value;
  const lines =
    camera !== null && camera === microphone
      ? [WORDS[camera]("camera and microphone")]
      : [camera && problemText(camera, "camera"), microphone && problemText(microphone, "microphone")].filter(Boolean);
  if (lines.length === 0) return null;
  return (
    <div class="problems" role="status" data-testid="device-problems">
      {lines.map((line) => (
        <p key={line}>
          <Icon name="warning" size={18} /> {line}
        </p>
      ))}
    </div>
  );
}
