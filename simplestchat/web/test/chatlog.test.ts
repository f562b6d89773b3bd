import { describe, expect, it } from "vitest";
import { ChatLog } from "../src/call/chatlog";
import { badgeText, UnreadCounter } from "../src/call/unread";
import type { ChatMessage } from "../src/net/wire";

function message(seq: number, clientId = `other-${seq}`, peerId = "p"): ChatMessage {
  return { id: `id-${seq}`, seq, peerId, name: "Ada", text: `text ${seq}`, time: seq * 1_000, clientId };
}

const own = (clientId: string) => ({ clientId, peerId: "me", name: "Me", text: "mine", timeMs: 1 });
const seqs = (log: ChatLog): (number | null)[] => log.entries.map((entry) => entry.seq);

describe("ChatLog", () => {
  it("orders by the server's number, whatever order messages come in", () => {
    const log = new ChatLog();
    log.snapshot("e", [message(5), message(6)]);
    log.merge([message(8), message(7)]);
    log.merge([message(3), message(4)]);
    expect(seqs(log)).toEqual([3, 4, 5, 6, 7, 8]);
    expect([log.firstSeq, log.lastSeq]).toEqual([3, 8]);
  });

  it("shows a message once, however often it is told", () => {
    const log = new ChatLog();
    log.snapshot("e", [message(1), message(2)]);
    expect(log.merge([message(2), message(3)])).toHaveLength(1);
    expect(log.merge([message(3)])).toHaveLength(0);
    expect(seqs(log)).toEqual([1, 2, 3]);
  });

  it.each(["answer first", "announcement first"])("turns a pending message into the stored one: %s", (order) => {
    const log = new ChatLog();
    log.snapshot("e", []);
    log.add(own("mine"));
    expect(log.entries[0]).toMatchObject({ seq: null, delivery: "pending", own: true, key: "mine" });
    if (order === "answer first") {
      log.confirm("mine", 4, 99, "id-4");
      log.merge([message(4, "mine", "me")]);
    } else {
      log.merge([message(4, "mine", "me")]);
      log.confirm("mine", 4, 99, "id-4");
    }
    expect(log.entries).toHaveLength(1);
    expect(log.entries[0]).toMatchObject({ seq: 4, delivery: "sent", own: true, key: "mine" });
    expect(log.waiting).toHaveLength(0);
  });

  it("keeps a failed message, lets it be tried again under the same id, or be thrown away", () => {
    const log = new ChatLog();
    log.add(own("mine"));
    log.mark("mine", "failed");
    expect(log.entries[0]?.delivery).toBe("failed");
    log.mark("mine", "pending");
    log.merge([message(1, "mine", "me")]);
    expect(log.entries.map(({ delivery }) => delivery)).toEqual(["sent"]);
    log.add(own("other"));
    log.discard("other");
    expect(log.entries).toHaveLength(1);
  });

  it("drops what another epoch knows nothing of, but not what waits", () => {
    const log = new ChatLog();
    log.snapshot("old", [message(1), message(2)]);
    log.add(own("mine"));
    expect(log.snapshot("new", [message(1)])).toEqual([]);
    expect(seqs(log)).toEqual([1, null]);
  });

  it("tells what is new in a snapshot of the same epoch", () => {
    const log = new ChatLog();
    log.snapshot("e", [message(1)]);
    expect(log.snapshot("e", [message(1), message(2)]).map(({ seq }) => seq)).toEqual([2]);
  });

  it("takes nobody else's message for its own, whatever id it bears", () => {
    const log = new ChatLog();
    log.snapshot("e", []);
    log.add(own("mine"));
    expect(log.merge([message(1, "mine")])).toMatchObject([{ own: false, key: "seq-1" }]);
    expect(log.waiting.map(({ clientId }) => clientId)).toEqual(["mine"]);
  });

  it("knows its own message that was stored under another peer id of its own", () => {
    const log = new ChatLog();
    log.snapshot("e", []);
    log.add(own("mine"));
    log.iAm("me-again");
    expect(log.merge([message(1, "mine", "me-again")])).toMatchObject([{ own: true }]);
    expect(log.waiting).toHaveLength(0);
  });

  it("tells what is missing, and whether it can still be had", () => {
    const log = new ChatLog();
    log.snapshot("e", [message(3), message(4), message(9), message(20)]);
    expect(log.gaps).toEqual([
      { after: 4, before: 9, kept: true },
      { after: 9, before: 20, kept: true },
    ]);
    expect([log.more, log.truncated]).toEqual([true, false]);
    log.forgottenBefore(9);
    expect(log.gaps.map(({ kept }) => kept)).toEqual([false, true]);
    expect([log.more, log.truncated]).toEqual([false, true]);
    log.snapshot("another", [message(1), message(2)]);
    expect([log.gaps, log.more, log.truncated]).toEqual([[], false, false]);
  });

  it("is bounded", () => {
    const log = new ChatLog();
    log.merge(Array.from({ length: 2_500 }, (_, index) => message(index + 1)));
    expect(log.entries).toHaveLength(2_000);
    expect(log.lastSeq).toBe(2_500);
  });
});

describe("UnreadCounter", () => {
  it("counts others' messages while nobody looks", () => {
    const counter = new UnreadCounter();
    counter.arrived([{ own: false }, { own: true }, { own: false }]);
    expect(counter.count).toBe(2);
    counter.look(true);
    counter.arrived([{ own: false }]);
    expect(counter.count).toBe(0);
    counter.look(false);
    expect(counter.count).toBe(0);
    counter.arrived([{ own: false }]);
    expect(counter.count).toBe(1);
  });

  it("fits its mark", () => {
    expect([badgeText(7), badgeText(99), badgeText(100)]).toEqual(["7", "99", "99+"]);
  });
});
