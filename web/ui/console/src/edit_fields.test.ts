import { describe, expect, it } from "vitest";
import { changedFields, type Edited, theirChanges } from "./edit_fields.ts";
import { incident, point } from "./test_examples.ts";

const texts = (change: Partial<Edited> = {}): Edited => ({
  address: "12 Rue Grimaldi",
  floor: "",
  entrance: "",
  caller_phone: "",
  note: "",
  ...change,
});
const base = incident();

describe("a correction", () => {
  it("sends only what was changed", () => {
    expect(changedFields(base, texts(), base.kind, null)).toEqual({});
    expect(changedFields(base, texts({ floor: " 3 " }), base.kind, null)).toEqual({ floor: "3" });
    expect(changedFields(base, texts({ address: "" }), "trauma", point(7.4, 43.7))).toEqual({
      address: null,
      kind: "trauma",
      position: point(7.4, 43.7),
    });
  });
  it("does not collide with another field of somebody else", () => {
    const now = incident({ floor: "2" });
    expect(theirChanges(base, now, texts({ note: "狗" }))).toEqual({});
  });
  it("shows the other's text where both changed the same field", () => {
    const now = incident({ floor: "2" });
    expect(theirChanges(base, now, texts({ floor: "3" }))).toEqual({ floor: "2" });
    expect(theirChanges(base, now, texts({ floor: "2" }))).toEqual({});
  });
});
