import { render } from "preact";
import type { Call } from "./call/call";
import { callState, receiveStats, sendStats } from "./call/diagnostics";
import { call } from "./state/session";
import "./styles/index.css";
import { App } from "./views/app";

/** The diagnostics door; see docs/browser-client.md. */
const door = {
  state: () => call.peek() && callState(call.peek() as Call),
  stats: async () => (call.peek() ? receiveStats(call.peek() as Call) : []),
  sendStats: async () => (call.peek() ? sendStats(call.peek() as Call) : []),
};

declare global {
  interface Window {
    __simplestchat: typeof door;
  }
}

window.__simplestchat = door;

const root = document.getElementById("app");
if (root) render(<App />, root);
