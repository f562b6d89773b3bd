import type { Call } from "../../call/call";
import { canShareScreen } from "../../call/capture";
import { badgeText } from "../../call/unread";
import { IconButton } from "../ui/controls";
import { Menu, type MenuItem } from "../ui/menu";
import { dialog, panel, setSoundOnly, toggleCamera, toggleFullscreen, toggleMicrophone, togglePanel, toggleScreen } from "./actions";

function soundOnlyItem(call: Call): MenuItem {
  const on = call.soundOnly.value;
  const label = on ? "Show pictures" : "Audio only";
  return { testId: "menu-sound-only", label, icon: on ? "camera" : "headphones", run: () => void setSoundOnly(call, !on) };
}

function menuItems(call: Call): MenuItem[] {
  const open = (name: "devices" | "help" | "share" | "room") => () => (dialog.value = name);
  const items: MenuItem[] = [
    { testId: "menu-devices", label: "Devices", icon: "settings", run: open("devices") },
    soundOnlyItem(call),
    { testId: "menu-share", label: "Invite people", icon: "link", run: open("share") },
    { testId: "menu-fullscreen", label: "Full screen", icon: "expand", run: () => void toggleFullscreen() },
    { testId: "menu-help", label: "Keyboard shortcuts", icon: "keyboard", run: open("help") },
  ];
  const owner: MenuItem = { testId: "menu-room", label: "Room settings", icon: "crown", run: open("room") };
  return call.isOwner.value ? [owner, ...items] : items;
}

function ChatButton({ call }: { call: Call }) {
  const unread = call.messages.unread.value;
  const open = panel.value === "chat";
  return (
    <IconButton
      testId="toggle-chat"
      label={unread > 0 ? `Chat, ${unread} unread` : "Chat"}
      icon="chat"
      shortcut="c"
      expanded={open}
      variant={open ? "on" : "control"}
      onClick={() => togglePanel("chat")}
    >
      {unread > 0 && (
        <span class="badge" data-testid="chat-unread" aria-hidden="true">
          {badgeText(unread)}
        </span>
      )}
    </IconButton>
  );
}

function MediaButtons({ call }: { call: Call }) {
  const { local } = call;
  const microphone = local.microphoneOn.value;
  const camera = local.cameraOn.value;
  const sharing = local.screen.value !== null;
  const audioOnly = call.room.value?.audioOnly ?? false;
  return (
    <>
      <IconButton
        testId="toggle-microphone"
        label={microphone ? "Mute" : "Unmute"}
        icon={microphone ? "microphone" : "microphone-off"}
        shortcut="m"
        pressed={microphone}
        variant={microphone ? "control" : "off"}
        onClick={() => void toggleMicrophone(call)}
      />
      <IconButton
        testId="toggle-camera"
        label={audioOnly ? "This room is audio only" : camera ? "Turn the camera off" : "Turn the camera on"}
        icon={camera ? "camera" : "camera-off"}
        shortcut="v"
        pressed={camera}
        variant={camera ? "control" : "off"}
        refused={audioOnly}
        onClick={() => void toggleCamera(call)}
      />
      {canShareScreen() && (
        <IconButton
          testId="toggle-screen"
          label={audioOnly ? "This room is audio only" : sharing ? "Stop sharing the screen" : "Share the screen"}
          icon={sharing ? "screen-off" : "screen"}
          shortcut="s"
          pressed={sharing}
          variant={sharing ? "on" : "control"}
          refused={audioOnly}
          onClick={() => void toggleScreen(call)}
        />
      )}
    </>
  );
}

/** The bar with everything that one does in a call. */
export function Controls({ call }: { call: Call }) {
  const people = panel.value === "people";
  return (
    <div class="controls" role="toolbar" aria-label="Call" data-testid="controls">
      <MediaButtons call={call} />
      <span class="controls-gap" aria-hidden="true" />
      <ChatButton call={call} />
      <IconButton
        testId="toggle-people"
        label={`People, ${call.roster.value.size + 1}`}
        icon="people"
        shortcut="p"
        expanded={people}
        variant={people ? "on" : "control"}
        onClick={() => togglePanel("people")}
      />
      <Menu testId="call-menu" label="More" items={menuItems(call)} variant="control" place="above" />
      <IconButton testId="leave" label="Leave" icon="leave" variant="leave" onClick={() => void call.leave()} />
    </div>
  );
}
