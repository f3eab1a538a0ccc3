import { describe, expect, it } from "vitest";
import { type Entry, Outbox, type Outcome, type Shelf } from "./outbox.ts";

const shelf = (): Shelf => {
  const kept = new Map<string, string>();
  return { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => void kept.set(name, value) };
};

const tap = (key: string, heldUntil = 0): Entry => ({
  key,
  path: `/assignments/m1/${key}`,
  body: { at: key },
  heldUntil,
});

const recording = (outcome: (entry: Entry) => Outcome) => {
  const sent: string[] = [];
  const send = async (entry: Entry) => {
    sent.push(entry.key);
    return outcome(entry);
  };
  return { sent, send };
};

describe("outbox", () => {
  it("sends in order and empties", async () => {
    const { sent, send } = recording(() => "sent");
    const box = new Outbox(shelf(), send);
    for (const key of ["a", "b", "c"]) box.add(tap(key));
    await box.flush(1);
    expect(sent).toEqual(["a", "b", "c"]);
    expect(box.entries()).toEqual([]);
  });

  it("keeps what could not be sent, across a reload, and asks nothing after it", async () => {
    const kept = shelf();
    const { sent, send } = recording(() => "later");
    const box = new Outbox(kept, send);
    box.add(tap("a"));
    box.add(tap("b"));
    await box.flush(1);
    expect(sent).toEqual(["a"]);
    const after = recording(() => "sent");
    await new Outbox(kept, after.send).flush(2);
    expect(after.sent).toEqual(["a", "b"]);
  });

  it("drops what the server refused and goes on", async () => {
    const { sent, send } = recording((entry) => (entry.key === "a" ? "refused" : "sent"));
    const box = new Outbox(shelf(), send);
    box.add(tap("a"));
    box.add(tap("b"));
    await box.flush(1);
    expect(sent).toEqual(["a", "b"]);
    expect(box.entries()).toEqual([]);
  });
});

describe("outbox in time", () => {
  it("holds a tap until its time, and can take it back", async () => {
    const { sent, send } = recording(() => "sent");
    const box = new Outbox(shelf(), send);
    box.add(tap("a", 5000));
    await box.flush(4999);
    expect(sent).toEqual([]);
    expect(box.withdraw("a")).toBe(true);
    await box.flush(5001);
    expect(sent).toEqual([]);
    expect(box.withdraw("a")).toBe(false);
  });

  it("lets the earlier tap go when a later one comes", async () => {
    const { sent, send } = recording(() => "sent");
    const box = new Outbox(shelf(), send);
    box.add(tap("a", 5000));
    box.add(tap("b", 9000));
    await box.flush(1000);
    expect(sent).toEqual(["a"]);
    box.release();
    await box.flush(1000);
    expect(sent).toEqual(["a", "b"]);
  });

  it("runs one flush at a time", async () => {
    let finish: (outcome: Outcome) => void = () => undefined;
    let calls = 0;
    const box = new Outbox(shelf(), () => {
      calls += 1;
      return new Promise<Outcome>((resolve) => {
        finish = resolve;
      });
    });
    box.add(tap("a"));
    const first = box.flush(1);
    await box.flush(1);
    expect(calls).toBe(1);
    finish("sent");
    await first;
    expect(box.entries()).toEqual([]);
  });

  it("rests after a failure, unless told to hurry", async () => {
    const { sent, send } = recording(() => "later");
    const box = new Outbox(shelf(), send);
    box.add(tap("a"));
    await box.flush(1000);
    await box.flush(3999);
    expect(sent).toHaveLength(1);
    await box.flush(3999, true);
    await box.flush(7000);
    expect(sent).toHaveLength(3);
  });

  it("reads rubbish as nothing", () => {
    const kept = shelf();
    kept.setItem("golden.go.outbox", "{broken");
    expect(new Outbox(kept, async () => "sent").entries()).toEqual([]);
  });
});
