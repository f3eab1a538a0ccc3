import { describe, expect, it } from "vitest";
import { byText, fits, type PublicAed } from "./finder.ts";

const aed = (more: Partial<PublicAed>): PublicAed => ({
  id: "a",
  name: "市图书馆 东门",
  address: "12 Boulevard des Moulins",
  floor: null,
  entrance: null,
  location_note: null,
  indoor: null,
  position: { type: "Point", coordinates: [7.42, 43.73] },
  access: "public",
  hours: null,
  hours_note: null,
  status: "in_service",
  is_invented: false,
  verified_at: null,
  usable: "yes",
  usable_reason: "open",
  usable_until: null,
  ...more,
});

describe("finder", () => {
  it("filters by what is usable now and what never closes", () => {
    expect(fits(aed({ usable: "unknown" }), "now")).toBe(false);
    expect(fits(aed({ usable: "unknown" }), "all")).toBe(true);
    expect(fits(aed({ usable_reason: "always_open" }), "always")).toBe(true);
    expect(fits(aed({ hours: "Mo-Fr 08:00-18:00" }), "always")).toBe(false);
  });

  it("finds by every word of name and address, in any order", () => {
    const all = [aed({ id: "1" }), aed({ id: "2", name: "Casino", address: null })];
    expect(byText(all, "moulins 图书馆").map((place) => place.text)).toEqual(["市图书馆 东门"]);
    expect(byText(all, "CASINO")).toHaveLength(1);
    expect(byText(all, "casino moulins")).toEqual([]);
    expect(byText(all, "  ")).toEqual([]);
  });
});
