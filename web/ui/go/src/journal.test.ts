import { describe, expect, it } from "vitest";
import { Journal, type Shown } from "./journal.ts";
import type { Shelf } from "./outbox.ts";

const shelf = (): Shelf => {
  const kept = new Map<string, string>();
  return { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => void kept.set(name, value) };
};

const line = (alert: string, revision = 1): Shown => ({
  alert,
  revision,
  kind: "cardiac_arrest",
  exercise: true,
  shownAt: "2026-11-22T14:45:02Z",
});

describe("journal", () => {
  it("shows an alert once per revision, also after a reload", () => {
    const kept = shelf();
    expect(new Journal(kept).show(line("a"))).toBe(true);
    expect(new Journal(kept).show(line("a"))).toBe(false);
    expect(new Journal(kept).show(line("a", 2))).toBe(true);
    expect(new Journal(kept).show(line("b"))).toBe(true);
  });

  it("lists one line per alert, newest first, with its answer", () => {
    const journal = new Journal(shelf());
    journal.show(line("a"));
    journal.show(line("a", 2));
    journal.show(line("b"));
    journal.answer("a", "accepted");
    expect(journal.alerts().map((shown) => [shown.alert, shown.revision, shown.answer])).toEqual([
      ["b", 1, undefined],
      ["a", 2, "accepted"],
    ]);
  });

  it("keeps the last two hundred", () => {
    const journal = new Journal(shelf());
    for (let i = 0; i < 230; i += 1) journal.show(line(`a${i}`));
    expect(journal.lines()).toHaveLength(200);
    expect(journal.lines().at(-1)?.alert).toBe("a229");
  });
});
