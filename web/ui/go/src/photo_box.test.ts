import { describe, expect, it } from "vitest";
import type { Outcome } from "./outbox.ts";
import { PhotoBox, type PhotoShelf, type WaitingPhoto } from "./photo_box.ts";

const shelf = (kept: WaitingPhoto[] = []): PhotoShelf => ({
  all: async () => [...kept],
  put: async (photo) => void kept.push(photo),
  remove: async (key) => {
    kept.splice(
      kept.findIndex((photo) => photo.key === key),
      1,
    );
  },
});
const photo = (key: string): WaitingPhoto => ({
  key,
  aed: "a1",
  kind: "cabinet",
  picture: new Blob([key]),
  takenAt: 1,
});

function recording(outcome: (photo: WaitingPhoto) => Outcome) {
  const sent: string[] = [];
  const counts: number[] = [];
  const send = async (one: WaitingPhoto) => {
    sent.push(one.key);
    return outcome(one);
  };
  return { sent, counts, send, changed: (n: number) => void counts.push(n) };
}

describe("photos that wait", () => {
  it("go in order, and the phone says how many wait", async () => {
    const { sent, counts, send, changed } = recording(() => "sent");
    const box = new PhotoBox(shelf(), send, changed);
    await box.add(photo("a"));
    await box.add(photo("b"));
    await box.flush(1);
    expect(sent).toEqual(["a", "b"]);
    expect(counts).toEqual([1, 2, 1, 0, 0]);
  });

  it("stay while the network is away, also over a restart, and rest between attempts", async () => {
    const kept: WaitingPhoto[] = [];
    const away = recording(() => "later");
    const box = new PhotoBox(shelf(kept), away.send);
    await box.add(photo("a"));
    await box.flush(1000);
    await box.flush(2000);
    expect(away.sent).toEqual(["a"]);
    await box.flush(2000, true);
    expect(away.sent).toHaveLength(2);
    const back = recording(() => "sent");
    const again = new PhotoBox(shelf(kept), back.send, back.changed);
    await again.open();
    await again.flush(1);
    expect(back.sent).toEqual(["a"]);
    expect(kept).toEqual([]);
  });

  it("are dropped when the server refuses them", async () => {
    const { sent, send } = recording((one) => (one.key === "a" ? "refused" : "sent"));
    const kept: WaitingPhoto[] = [];
    const box = new PhotoBox(shelf(kept), send);
    await box.add(photo("a"));
    await box.add(photo("b"));
    await box.flush(1);
    expect([sent, kept]).toEqual([["a", "b"], []]);
  });
});
