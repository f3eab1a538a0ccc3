import type { IncidentValue } from "@shared/shapes.ts";
import { en } from "@shared/words/en.ts";
import { zh } from "@shared/words/zh.ts";
import { describe, expect, it } from "vitest";
import { refusal } from "./attaching.ts";
import { brokenWays } from "./ladder.tsx";
import { apartM, isStuck, mergeWay } from "./merging.ts";
import { personRows } from "./people.ts";
import { boardAlarms } from "./queue_rank.ts";
import { differing, lastOf, valueText } from "./telling.ts";
import { ago, alert, board, incident, line, NOW, point } from "./test_examples.ts";

const counts = (alerted: number, accepted: number) => ({ alerted, accepted, on_scene: 0 });

describe("of two calls about one emergency", () => {
  const older = incident({ id: "a", created_at: ago(200), counts: counts(0, 0) });
  it("the one goes on to which people are going, then the older", () => {
    const going = incident({ id: "b", created_at: ago(20), counts: counts(4, 2) });
    expect(mergeWay(older, going).kept.id).toBe("b");
    expect(mergeWay(older, incident({ id: "c", created_at: ago(20), counts: counts(0, 0) })).kept.id).toBe(
      "a",
    );
    expect(mergeWay(going, older)).toEqual(mergeWay(older, going));
  });
  it("neither can go while people are going for both", () => {
    const [one, other] = [incident({ id: "a" }), incident({ id: "b" })];
    expect([isStuck(mergeWay(one, other)), isStuck(mergeWay(one, older))]).toEqual([true, false]);
  });
  it("the distance is in metres", () => {
    expect(Math.round(apartM(incident(), incident({ position: point(7.42, 43.736) })))).toBe(111);
  });
});

const value = (change: Partial<IncidentValue>): IncidentValue => ({
  ...{ id: "v1", field: "address", value: "12 Rue Grimaldi", source: "caller", told_by: null },
  ...{ at: ago(190), is_chosen: true, chosen_at: ago(190), withdrawn_at: null },
  ...change,
});
const told = value({
  id: "v2",
  value: "14 Rue Grimaldi",
  source: "responder",
  at: ago(60),
  is_chosen: false,
});

describe("what sources say", () => {
  it("differs until one was chosen after the last was told", () => {
    expect(differing([value({})], incident())).toEqual([]);
    expect(differing([value({}), told], incident()).map(({ field, isOpen }) => [field, isOpen])).toEqual([
      ["address", true],
    ]);
    const settled = [value({ is_chosen: false }), { ...told, is_chosen: true, chosen_at: ago(10) }];
    expect(differing(settled, incident()).map(({ isOpen }) => isOpen)).toEqual([false]);
  });
  it("differs from what the incident carries, too, where no source was chosen", () => {
    const [one] = differing([told], incident());
    expect(one?.values.map((said) => said.value)).toEqual(["12 Rue Grimaldi", "14 Rue Grimaldi"]);
    expect(differing([told], incident({ address: "14 Rue Grimaldi" }))).toEqual([]);
  });
  it("does not count what was taken back", () => {
    expect(differing([value({}), { ...told, withdrawn_at: ago(5) }], incident())).toEqual([]);
  });
  it("is looked at again when more was told", () => {
    const before = differing([value({}), told], incident())[0];
    const after = differing([value({}), told, { ...told, id: "v3", value: "16" }], incident())[0];
    expect(before && after && lastOf(before) === lastOf(after)).toBe(false);
  });
  it("reads as words, a place as its distance", () => {
    const north = value({ field: "position", value: point(7.42, 43.736) });
    expect(valueText(north, incident(), zh)).toBe("距现用位置 110 米");
    expect(valueText(value({ field: "patients", value: 2 }), incident(), en)).toBe("2");
  });
});

describe("a file", () => {
  it("is refused before it is sent when it is too large or no picture", () => {
    const file = { name: "a.jpg", type: "image/jpeg", size: 1000 };
    expect(refusal(file)).toBeNull();
    expect(refusal({ ...file, size: 9_000_000 })).toContain("8 MB");
    expect(refusal({ ...file, name: "a.exe", type: "" })).toContain("a.exe");
  });
});

describe("people who were asked", () => {
  const rows = (status: "stood_down" | "notified") =>
    personRows({
      ...{ alerts: [alert({ status })], assignments: [], positions: {}, plan: null, now: NOW },
      lines: [line({ kind: "covered", args: { responders: [{ id: "r1", alert: "a1" }] } })],
    });
  it("are covered when the timeline says that enough are coming", () => {
    expect(rows("stood_down").map(({ isCovered }) => isCovered)).toEqual([true]);
    expect(rows("notified").map(({ isCovered }) => isCovered)).toEqual([false]);
  });
  it("may not have heard: the channels that broke, and why", () => {
    const way = { at: null, why: null };
    const ways = [
      { ...way, channel: "live" as const, status: "unacknowledged" as const },
      { ...way, channel: "sms" as const, status: "failed" as const, why: "isv.MOBILE_NUMBER_ILLEGAL" },
      { ...way, channel: "voice" as const, status: "delivered" as const },
    ];
    expect(brokenWays(ways, zh)).toBe("应用 未确认收到、短信 isv.MOBILE_NUMBER_ILLEGAL");
  });
});

describe("a channel that delivers nothing", () => {
  it("is an alarm of the board", () => {
    const silent = { ...board([]), channels: [{ channel: "sms" as const, silent_since: ago(90) }] };
    expect(boardAlarms(silent, NOW).map(({ kind, level, sinceS }) => [kind, level, sinceS])).toEqual([
      ["channel_silent", 2, 90],
    ]);
  });
});
