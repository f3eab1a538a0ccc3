import { describe, expect, it } from "vitest";
import { beatsBetween, momentAt, untilRelief } from "./beats.ts";

describe("beats", () => {
  it.each([100, 110, 120])("loses nothing over ten minutes at %d", (bpm) => {
    const beats = beatsBetween(0, 600, bpm, "continuous");
    expect(beats).toHaveLength(bpm * 10);
    expect(beats.at(-1)).toBeCloseTo(600 - 60 / bpm, 6);
  });

  it("gives the same beats when looked at in slices", () => {
    const slices = Array.from({ length: 600 }, (_, i) =>
      beatsBetween(i / 10, (i + 1) / 10, 110, "thirty_two"),
    );
    expect(slices.flat()).toEqual(beatsBetween(0, 60, 110, "thirty_two"));
  });

  it("counts thirty presses and two breaths", () => {
    const beats = beatsBetween(0, 21.3, 110, "thirty_two");
    expect(beats).toHaveLength(30);
    expect(beats.map((at) => momentAt(at, 110, "thirty_two").count)).toEqual(
      Array.from({ length: 30 }, (_, i) => i + 1),
    );
    expect(momentAt(16.5, 110, "thirty_two")).toEqual({ phase: "breath", count: 1 });
    expect(momentAt(20, 110, "thirty_two")).toEqual({ phase: "breath", count: 2 });
    expect(momentAt(21.4, 110, "thirty_two")).toEqual({ phase: "press", count: 1 });
  });

  it("calls for relief every two minutes", () => {
    expect(untilRelief(0)).toBe(120);
    expect(untilRelief(156)).toBe(84);
  });
});
