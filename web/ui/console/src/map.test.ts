import { zh } from "@shared/words/zh.ts";
import { describe, expect, it } from "vitest";
import { hexagonCounts } from "./hexagon_counts.ts";
import { marksOf, type Scene } from "./map_marks.ts";
import { personRows } from "./people.ts";
import { wantedRoutes } from "./routes.ts";
import { ago, alert, assignment, board, candidate, incident, NOW, plan, point } from "./test_examples.ts";

const aed = { id: "d1", name: "市图书馆", position: point(7.423, 43.737) };
const fetching = alert({ role: "via_aed", aed, status: "accepted" });
const going = assignment({ role: "via_aed", aed });
const rowsOf = (change = {}) =>
  personRows({
    alerts: [fetching],
    assignments: [{ ...going, ...change }],
    positions: {},
    plan: null,
    now: NOW,
  });

const all = { aeds: true, responders: true, routes: true, depots: true, coverage: false };
const scene = (change: Partial<Scene> = {}): Scene => ({
  board: board([incident()]),
  selected: "i1",
  shown: all,
  idle: false,
  plan: null,
  rows: rowsOf(),
  routes: [],
  aeds: [],
  depots: [],
  coverage: null,
  onDuty: [],
  ...change,
});
const input = { words: zh, latin: false, now: NOW };
const registered = {
  ...aed,
  ...{
    org: null,
    address: null,
    floor: null,
    entrance: null,
    location_note: null,
    indoor: null,
    hours: null,
  },
  ...{
    access: "public",
    hours_note: null,
    cabinet: "none",
    status: "in_service",
    source: null,
    source_ref: null,
  },
  ...{
    is_invented: true,
    verified_at: null,
    usable: "yes",
    usable_reason: null,
    usable_until: null,
    version: 1,
  },
} as Scene["aeds"][number];

describe("the map", () => {
  it("shows who fetches which AED, until it is taken", () => {
    const [before] = marksOf(scene({ aeds: [registered] }), input).aeds;
    expect(before).toMatchObject({ planned: true, above: "市图书馆 · 王取", state: "usable" });
    const taken = rowsOf({ times: { accepted_at: ago(90), aed_collected_at: ago(50) } });
    const [after] = marksOf(scene({ aeds: [registered], rows: taken }), input).aeds;
    expect(after?.planned).toBe(false);
    expect(after?.label).toContain("已取走");
  });
  it("shows the plan's people while it is being looked at, hollow", () => {
    const proposed = plan({ chosen: [candidate({ responder: "r7", role: "direct", reason: null })] });
    const marks = marksOf(scene({ plan: proposed, rows: [] }), input);
    expect(marks.responders).toMatchObject([{ id: "r7", state: "recent" }]);
  });
  it("keeps those who declined off the map", () => {
    const declined = personRows({
      alerts: [alert({ status: "declined" })],
      assignments: [],
      positions: {},
      plan: null,
      now: NOW,
    });
    expect(marksOf(scene({ rows: declined }), input).responders).toEqual([]);
  });
  it("shows counts and no things when nothing is open", () => {
    const marks = marksOf(
      scene({ board: board([]), idle: true, aeds: [registered], onDuty: [point()] }),
      input,
    );
    expect(marks.aeds).toEqual([]);
    expect(marks.hexagons?.look).toBe("count");
  });
  it("draws the way to the AED dotted and the rest solid", () => {
    const legs = [0, 1].map((i) => ({
      type: "LineString" as const,
      coordinates: [
        [i, 0],
        [i + 1, 0],
      ],
    }));
    const marks = marksOf(scene({ routes: [{ id: "r1", kind: "fetch", legs, etaS: 90 }] }), input);
    expect(marks.routes.map(({ dotted }) => dotted ?? false)).toEqual([true, false]);
    expect(marks.etas).toMatchObject([{ kind: "via_aed", position: { coordinates: [1.5, 0] } }]);
  });
});

describe("ways", () => {
  it("go by the AED until it is collected", () => {
    expect(wantedRoutes(incident(), rowsOf(), null)[0]?.via).toEqual(aed.position);
    const taken = rowsOf({ times: { aed_collected_at: ago(5) } });
    expect(wantedRoutes(incident(), taken, null)[0]).toMatchObject({ kind: "fetch", via: null });
  });
  it("are not drawn for whoever has arrived", () => {
    expect(wantedRoutes(incident(), rowsOf({ status: "on_scene" }), null)).toEqual([]);
  });
});

describe("hexagons", () => {
  it("count each place once, in cells that do not overlap", () => {
    const places = Array.from({ length: 60 }, (_, i) =>
      point(7.41 + (i % 10) * 0.003, 43.72 + Math.floor(i / 10) * 0.003),
    );
    const { features } = hexagonCounts(places, 300);
    expect(features.reduce((sum, { properties }) => sum + properties.count, 0)).toBe(60);
    expect(features.every(({ geometry }) => geometry.coordinates[0]?.length === 7)).toBe(true);
  });
  it("put the same place into the same cell", () => {
    expect(hexagonCounts([point(), point()], 300).features).toHaveLength(1);
  });
});
