import { call, ended } from "../state/session";
import { route } from "../state/router";
import { CallPage } from "./call/call";
import { Home } from "./home/home";
import { Ended } from "./room/ended";
import { PreJoin } from "./room/prejoin";
import { Notices } from "./ui/notices";

function Page() {
  const to = route.value;
  if (to.page === "home") return <Home />;
  if (call.value) return <CallPage call={call.value} />;
  const over = ended.value;
  const wrongPassword = over?.ending.kind === "refused" && over.ending.reason === "wrong_password";
  if (over && over.room === to.room && !wrongPassword) return <Ended ending={over.ending} name={over.name} />;
  return <PreJoin key={to.room} room={to.room} needsPassword={wrongPassword} />;
}

export function App() {
  return (
    <>
      <Page />
      <Notices />
    </>
  );
}
