import { describe, expect, it } from "vitest";
import { doorsAfter } from "./next_focus.ts";
import { alarmsOf, boardAlarms, inOrder, rank, withoutClosed } from "./queue_rank.ts";
import { ago, assignment, board, incident, NOW } from "./test_examples.ts";

const sectionsOf = (...incidents: Parameters<typeof board>[0]) => rank(board(incidents), NOW);

describe("the queue", () => {
  it("puts what needs action first, then what is running, then exercises", () => {
    const sections = sectionsOf(
      incident({ id: "running" }),
      incident({ id: "not alerted", status: "received" }),
      incident({ id: "drill", exercise: true, status: "received" }),
    );
    expect(sections.action.map(({ incident: { id } }) => id)).toEqual(["not alerted"]);
    expect(sections.progress.map(({ incident: { id } }) => id)).toEqual(["running"]);
    expect(sections.exercise.map(({ incident: { id } }) => id)).toEqual(["drill"]);
  });
  it("orders by severity, then by age, and moves nothing while time passes", () => {
    const [old, young, minor] = [
      incident({ id: "old", created_at: ago(900) }),
      incident({ id: "young", created_at: ago(30) }),
      incident({ id: "minor", severity: 3, created_at: ago(9000), kind: "relief" }),
    ];
    const now = rank(board([minor, young, old]), NOW);
    const later = rank(board([young, minor, old]), NOW + 3_600_000);
    expect(inOrder(now).map(({ id }) => id)).toEqual(["old", "young", "minor"]);
    expect(inOrder(later).map(({ id }) => id)).toEqual(["old", "young", "minor"]);
  });
  it("calls for 120 on medical incidents only", () => {
    const unknown = { ambulance: "unknown" as const, created_at: ago(70) };
    const sections = sectionsOf(
      incident({ id: "arrest", ...unknown }),
      incident({ id: "relief", kind: "relief", ...unknown }),
    );
    expect(sections.action.map(({ incident: { id }, ambulanceOpenS }) => [id, ambulanceOpenS])).toEqual([
      ["arrest", 70],
    ]);
    expect(sections.progress.map(({ ambulanceOpenS }) => ambulanceOpenS)).toEqual([null]);
  });
  it("notices a position of someone on the way that is five minutes old", () => {
    const moving = assignment({ position_at: ago(370) });
    expect(rank(board([incident()], [moving]), NOW).action[0]?.positionOldMin).toBe(6);
    const there = assignment({ position_at: ago(370), status: "with_patient" });
    expect(rank(board([incident()], [there]), NOW).action).toEqual([]);
  });
});

describe("alarms", () => {
  const kinds = (...incidents: Parameters<typeof board>[0]) =>
    alarmsOf(sectionsOf(...incidents), NOW).map(({ kind, level }) => [kind, level]);

  it("begin a minute after the call, not before", () => {
    const open = { status: "received" as const, ambulance: "unknown" as const };
    expect(kinds(incident({ ...open, created_at: ago(59) }))).toEqual([]);
    expect(kinds(incident({ ...open, created_at: ago(61) }))).toEqual([
      ["not_alerted", 1],
      ["ambulance_open", 1],
    ]);
  });
  it("say that nobody accepted a minute after the first alert", () => {
    const waiting = { status: "alerting" as const, counts: { alerted: 4, accepted: 0, on_scene: 0 } };
    expect(kinds(incident({ ...waiting, severity: 2, first_alert_at: ago(61) }))).toEqual([["no_accept", 2]]);
    expect(kinds(incident({ ...waiting, first_alert_at: ago(20) }))).toEqual([]);
  });
  it("are not raised by exercises", () => {
    expect(kinds(incident({ exercise: true, status: "received", created_at: ago(600) }))).toEqual([]);
  });
  it("end by themselves when the reason is gone", () => {
    expect(kinds(incident())).toEqual([]);
  });
});

describe("what was taken note of", () => {
  it("is forgotten when the incident is closed, so that it alarms again when it is opened again", () => {
    const late = incident({ id: "late", status: "received", created_at: ago(100) });
    const silent = { channel: "sms" as const, silent_since: ago(90) };
    const open = { ...board([late]), channels: [silent] };
    const known = new Set(boardAlarms(open, NOW).map(({ key }) => key));
    expect(known.size).toBeGreaterThan(1);
    expect(withoutClosed(known, open.incidents)).toBe(known);
    expect([...withoutClosed(known, {})]).toEqual([`channel sms ${silent.silent_since}`]);
  });
});

describe("the focus after a panel", () => {
  it("goes on to 120 after an alert, and back to the panel's own button after the rest", () => {
    expect(doorsAfter("plan")).toEqual(["ambulance"]);
    expect(doorsAfter("log")).toEqual(["log", "ambulance"]);
  });
});
