import { describe, expect, it } from "vitest";
import { type AxisItem, axisLength, axisTicks, placeMarks } from "./minute_axis.ts";

const item = (label: string, atS: number): AxisItem => ({
  key: label,
  label,
  atS,
  kind: "person",
  done: false,
});

describe("the minute axis", () => {
  it("is ten minutes long, and thirty from then on", () => {
    expect([0, 600, 601, 5000].map(axisLength)).toEqual([600, 600, 1800, 1800]);
    expect(axisTicks(600).map(({ minute }) => minute)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(axisTicks(1800).map(({ minute }) => minute)).toEqual([0, 6, 12, 18, 24, 30]);
  });
  it("centres a label over its mark when there is room", () => {
    const [mark] = placeMarks([item("王 4:02", 242)], 600, 400);
    expect(mark?.x).toBeCloseTo(161.3, 1);
    expect(mark?.labelX).toBeCloseTo(161.3 - 24, 0);
  });
  it("keeps labels apart and inside the track", () => {
    const marks = placeMarks([item("王 4:02", 242), item("AED 4:52", 292), item("120 9:58", 598)], 600, 400);
    const [first, second, last] = marks.map(({ labelX }) => labelX ?? Number.NaN);
    expect((first ?? 0) + 48).toBeLessThan(second ?? 0);
    expect((last ?? 0) + 57).toBeLessThanOrEqual(400);
  });
  it("drops the later label when two cannot stand side by side", () => {
    const marks = placeMarks([item("王 4:02", 242), item("李 4:02", 242), item("赵 4:03", 243)], 600, 400);
    expect(marks.map(({ labelX }) => labelX === null)).toContain(true);
    expect(marks).toHaveLength(3);
  });
  it("leaves out what lies beyond its end", () => {
    expect(placeMarks([item("120 11:00", 660)], 600, 400)).toEqual([]);
  });
});
