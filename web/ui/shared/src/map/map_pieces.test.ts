import { describe, expect, it } from "vitest";
import { aedState, closesSoon } from "./aed_state.ts";
import { clearOffsets } from "./clear_offsets.ts";
import { scaleFor } from "./map_chrome.tsx";
import { middleOf } from "./marks.ts";

const now = Date.parse("2026-11-22T21:45:00Z");

describe("an AED", () => {
  const facts = { usable: "yes" as const, usable_until: null };
  it.each([
    [facts, "usable"],
    [{ ...facts, usable_until: "2026-11-22T21:55:00Z" }, "soon"],
    [{ ...facts, access: "staff" as const }, "soon"],
    [{ usable: "no" as const, usable_until: "2026-11-23T06:00:00Z" }, "closed"],
    [{ usable: "unknown" as const, usable_until: null }, "unknown"],
    [{ ...facts, status: "out_of_service" as const }, "out"],
  ] as const)("%o is drawn %s", (given, state) => {
    expect(aedState(given, now)).toBe(state);
  });
  it("closes soon within a quarter of an hour", () => {
    expect(closesSoon({ ...facts, usable_until: "2026-11-22T22:01:00Z" }, now)).toBe(false);
  });
});

describe("arrival badges", () => {
  it("stay where they are when nothing is in the way", () => {
    expect(clearOffsets([{ x: 0, y: 0 }], [])).toEqual([[0, 0]]);
  });
  it("move off a symbol and off one another", () => {
    const [first, second] = clearOffsets(
      [
        { x: 0, y: 0 },
        { x: 0, y: 0 },
      ],
      [{ x: 0, y: 0, r: 14 }],
    );
    expect(first).toEqual([0, -32]);
    expect(second).toEqual([0, 32]);
  });
});

describe("the middle of a line", () => {
  it("is half way along its length, not half of its points", () => {
    const line = {
      type: "LineString" as const,
      coordinates: [
        [0, 0],
        [1, 0],
        [10, 0],
      ],
    };
    expect(middleOf(line)?.coordinates).toEqual([5, 0]);
  });
  it("is the point itself when there is only one", () => {
    expect(middleOf({ type: "LineString", coordinates: [[3, 4]] })?.coordinates).toEqual([3, 4]);
  });
});

describe("the scale", () => {
  it("is a round distance of at most 92 pixels", () => {
    expect(scaleFor(1.1)).toEqual({ pixels: 91, text: "100 m" });
    expect(scaleFor(30)).toEqual({ pixels: 67, text: "2 km" });
  });
});
