import type { Mission, RouteAnswer } from "@shared/shapes.ts";
import { describe, expect, it } from "vitest";
import { stopsAhead, walkOf } from "./route.ts";

const point = (lon: number, lat: number) => ({
  type: "Point" as const,
  coordinates: [lon, lat] as [number, number],
});

const mission = (times: Mission["times"]): Mission => ({
  id: "m",
  alert: "a",
  status: "accepted",
  role: "via_aed",
  steps: [],
  next_step: null,
  incident: { id: "i", kind: "cardiac_arrest", exercise: true, position: point(7.43, 43.74) },
  aed: {
    id: "d",
    name: "d",
    address: null,
    floor: null,
    position: point(7.42, 43.74),
    access_note: null,
    usable_until: null,
  },
  times,
  call_phone: null,
  route_version: 1,
});

describe("walk", () => {
  it("goes by the AED until it is taken, and ends on scene", () => {
    expect(stopsAhead(mission({})).map((stop) => stop.coordinates[0])).toEqual([7.42, 7.43]);
    expect(stopsAhead(mission({ aed_collected_at: "t" })).map((stop) => stop.coordinates[0])).toEqual([7.43]);
    expect(stopsAhead(mission({ aed_collected_at: "t", on_scene_at: "t" }))).toEqual([]);
  });

  it("shares the time among the legs by length", () => {
    const line = (...coordinates: [number, number][]) => ({ type: "LineString" as const, coordinates });
    const legs = [line([7.42, 43.74], [7.42, 43.741]), line([7.42, 43.741], [7.42, 43.744])];
    const answer: RouteAnswer = {
      line: line([7.42, 43.74], [7.42, 43.744]),
      legs,
      travel_s: 400,
      distance_m: 444,
      source: "estimate",
    };
    const walk = walkOf(answer);
    expect(walk.estimated).toBe(true);
    expect(walk.legs[0]?.seconds).toBeCloseTo(100, 0);
    expect(walk.legs[1]?.seconds).toBeCloseTo(300, 0);
    expect(walkOf({ ...answer, legs: [] }).legs[0]?.seconds).toBeCloseTo(400, 6);
  });
});
