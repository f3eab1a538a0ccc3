import { describe, expect, it } from "vitest";
import { firstArrival, notChosen, type PeopleInput, personRows } from "./people.ts";
import { ago, alert, assignment, candidate, incident, NOW, plan, point } from "./test_examples.ts";

const rows = (change: Partial<PeopleInput>) =>
  personRows({ alerts: [alert()], assignments: [], positions: {}, plan: null, now: NOW, ...change });

describe("people of an incident", () => {
  it("come in the order of arrival, then of their answer", () => {
    const people = rows({
      alerts: [
        alert({ id: "no", responder: "r4", status: "declined" }),
        alert({ id: "asked", responder: "r3", status: "delivered", travel_s: 20 }),
        alert({ id: "seen", responder: "r2", status: "seen", travel_s: 90 }),
        alert({ id: "later", responder: "r5", status: "accepted" }),
        alert({ id: "first", responder: "r1", status: "accepted" }),
      ],
      assignments: [
        assignment({ id: "s1", alert: "first" }),
        assignment({
          id: "s2",
          alert: "later",
          responder: "r5",
          eta_at: new Date(NOW + 200_000).toISOString(),
        }),
      ],
    });
    expect(people.map((row) => row.alert.id)).toEqual(["first", "later", "seen", "asked", "no"]);
  });
  it("stand where the newest report says", () => {
    const heard = { responder: "r1", position: point(7.5, 43.8), accuracy_m: 5, at: ago(3) };
    expect(rows({ assignments: [assignment()], positions: { r1: heard } })[0]).toMatchObject({
      position: heard.position,
      positionAgeS: 3,
    });
    const stale = { ...heard, at: ago(40) };
    expect(rows({ assignments: [assignment()], positions: { r1: stale } })[0]?.positionAgeS).toBe(10);
  });
  it("stand where the plan knew them before they answered, and grow older there", () => {
    const known = plan({
      excluded: [candidate({ responder: "r1", position_age_s: 290, reason: "already_alerted" })],
    });
    expect(rows({ plan: known })[0]).toMatchObject({ positionAgeS: 295, look: "recent" });
    const older = plan({
      excluded: [candidate({ responder: "r1", position_age_s: 400, reason: "already_alerted" })],
    });
    expect(rows({ plan: older })[0]?.look).toBe("stale");
  });
  it("are drawn solid only when they are coming and fresh", () => {
    expect(rows({ assignments: [assignment()] })[0]?.look).toBe("fresh");
    expect(rows({ assignments: [assignment({ position_at: ago(90) })] })[0]?.look).toBe("recent");
    expect(rows({ assignments: [assignment({ position_at: ago(700) })] })[0]?.look).toBe("stale");
  });
});

describe("the first arrival", () => {
  it("is the soonest of those who are coming", () => {
    expect(firstArrival(incident(), rows({ assignments: [assignment()] }))).toEqual({ inS: 50, tookS: null });
  });
  it("is a fact once somebody is there", () => {
    const there = incident({ created_at: ago(300), first_on_scene_at: ago(60) });
    expect(firstArrival(there, [])).toEqual({ inS: null, tookS: 240 });
  });
  it("is unknown while nobody has accepted", () => {
    expect(firstArrival(incident(), rows({}))).toEqual({ inS: null, tookS: null });
  });
});

describe("those not chosen", () => {
  it("are everyone near with a reason who was not asked, nearest first", () => {
    const known = plan({
      excluded: [
        candidate({ responder: "far", direct_s: 370 }),
        candidate({ responder: "near", direct_s: 110 }),
        candidate({ responder: "r1", reason: "already_alerted", direct_s: 5 }),
        candidate({ responder: "nowhere", direct_s: null, travel_s: null, reason: "no_position" }),
      ],
    });
    expect(notChosen(known, [alert()]).map(({ responder }) => responder)).toEqual(["near", "far", "nowhere"]);
  });
});
