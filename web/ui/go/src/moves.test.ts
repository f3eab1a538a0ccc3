import { Problem } from "@shared/api.ts";
import type { Mission, MissionAed } from "@shared/shapes.ts";
import { describe, expect, it, vi } from "vitest";

vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined, removeItem: () => undefined });
const { changeOf, isAbout, whyLate, withoutAed } = await import("./moves.ts");

const aed = (id: string): MissionAed => ({
  id,
  name: `AED ${id}`,
  address: null,
  floor: null,
  position: { type: "Point", coordinates: [0, 0] },
  access_note: null,
  usable_until: null,
});

const mission = (more: Partial<Mission> = {}): Mission => ({
  id: "m1",
  alert: "a1",
  status: "en_route",
  role: "via_aed",
  steps: ["en_route", "aed_collected", "on_scene", "with_patient", "handed_over", "cleared"],
  next_step: "aed_collected",
  incident: { id: "i1", kind: "cardiac_arrest", exercise: false },
  aed: aed("x"),
  times: { en_route_at: "2026-11-22T14:45:10Z" },
  call_phone: null,
  route_version: 1,
  ...more,
});
const report = { mission: "m1", aed: "x", kind: "locked", at: 0 } as const;

describe("changeOf", () => {
  it("names the new AED and the one that need not be fetched", () => {
    expect(changeOf(mission(), mission({ aed: aed("y") }))).toEqual({
      mission: "m1",
      role: "via_aed",
      aed: "AED y",
      old: "AED x",
    });
  });
  it("tells who goes direct now, and who guides now", () => {
    expect(changeOf(mission(), mission({ role: "direct", aed: null }))).toMatchObject({
      role: "direct",
      aed: null,
      old: "AED x",
    });
    const before = mission({ role: "direct", aed: null });
    expect(changeOf(before, mission({ role: "guide", aed: null }))).toMatchObject({
      role: "guide",
      old: null,
    });
  });
  it("says nothing of a step, of another mission, of the first and of the end", () => {
    expect(changeOf(mission(), mission({ next_step: "on_scene" }))).toBeNull();
    expect(changeOf(mission(), mission({ id: "m2", role: "direct", aed: null }))).toBeNull();
    expect(changeOf(null, mission())).toBeNull();
    expect(changeOf(mission(), null)).toBeNull();
  });
  it("does not send back whoever has the AED in hand", () => {
    const taken = { aed_collected_at: "2026-11-22T14:46:10Z" };
    const before = mission({ times: taken });
    expect(changeOf(before, mission({ role: "direct", aed: null, times: taken }))?.old).toBeNull();
  });
});

describe("withoutAed", () => {
  it("leads straight on, past the step that cannot be taken", () => {
    const rest = withoutAed(mission(), report);
    expect([rest.role, rest.aed, rest.next_step]).toEqual(["direct", null, "on_scene"]);
    expect(rest.steps).not.toContain("aed_collected");
  });
  it("keeps a step that comes before, and any other mission or AED", () => {
    expect(withoutAed(mission({ next_step: "en_route" }), report).next_step).toBe("en_route");
    expect(withoutAed(mission({ aed: aed("y") }), report).aed?.id).toBe("y");
    expect(withoutAed(mission(), null).aed?.id).toBe("x");
    expect(isAbout(mission({ id: "m2" }), report)).toBe(false);
  });
});

describe("whyLate", () => {
  const refusal = (code: string, status: number, state?: Record<string, unknown>) =>
    whyLate(new Problem({ title: "", code, status, state }));
  it("tells covered from over, and lets other refusals be", () => {
    expect(refusal("alert_over", 409, { status: "stood_down", reason: "covered" })).toBe("covered");
    expect(refusal("alert_over", 409, { status: "timed_out" })).toBe("timed_out");
    expect(refusal("alert_over", 409)).toBe("other");
    expect(refusal("not_found", 404)).toBeNull();
  });
});
