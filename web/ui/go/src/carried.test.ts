import type { Mission } from "@shared/shapes.ts";
import { describe, expect, it } from "vitest";
import { fromServer, returnedBy, returnPath, toReturn, useOf, withMission } from "./carried.ts";

const place = { type: "Point" as const, coordinates: [7.4, 43.7] as [number, number] };
const aed = { id: "a1", name: "Mairie", address: null, floor: "1", position: place, access_note: "left" };
const mission = (some: Partial<Mission> = {}) =>
  ({
    id: "m1",
    incident: { id: "i1", kind: "cardiac_arrest", exercise: false },
    aed: { ...aed, usable_until: null },
    times: { aed_collected_at: "2026-11-22T10:00:00Z" },
    ...some,
  }) as Mission;
const entry = (path: string) => ({ key: "k", path, body: {}, heldUntil: 0 });

describe("what has to go back", () => {
  it("is what was collected on a mission that has ended", () => {
    const carried = withMission([], mission());
    expect(carried).toMatchObject([{ aed: { id: "a1", location_note: "left" } }]);
    expect(withMission(carried, mission())).toEqual(carried);
  });

  it("is nothing when nothing was collected, and nothing in an exercise", () => {
    expect(withMission([], mission({ times: {} }))).toEqual([]);
    expect(withMission([], mission({ aed: null }))).toEqual([]);
    const drill = { id: "i1", kind: "cardiac_arrest" as const, exercise: true };
    expect(withMission([], mission({ incident: drill }))).toEqual([]);
  });

  it("is no longer shown while its return waits to be sent", () => {
    const carried = withMission([], mission());
    expect(toReturn(carried, [entry("/assignments/m1/cleared")])).toEqual(carried);
    expect(toReturn(carried, [entry(returnPath("a1"))])).toEqual([]);
    expect(toReturn(carried, [entry(returnPath("a2"))])).toEqual(carried);
  });

  it("finds the use that a return ends", () => {
    const uses = {
      items: [
        { id: "u1", taken_at: "2026-11-22T10:00:00Z", aed: { ...aed, entrance: null, location_note: "" } },
      ],
    };
    expect(useOf(uses, "a1")).toBe("u1");
    expect(useOf(uses, "a2")).toBeNull();
    expect(fromServer(uses)[0]?.takenAt).toBe("2026-11-22T10:00:00Z");
    expect(returnedBy(entry("/aeds/a1/uses/u1/return"))).toBeNull();
  });
});
