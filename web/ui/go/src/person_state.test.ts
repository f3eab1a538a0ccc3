import type { Mission, PersonAlert, PersonSnapshot, StandDown } from "@shared/shapes.ts";
import { describe, expect, it } from "vitest";
import { secondsLeft } from "./countdown.ts";
import { nobody, onChanges, onSnapshot, type PersonState, screenOf, withTaps } from "./person_state.ts";

const alert = (more: Partial<PersonAlert> = {}): PersonAlert => ({
  id: "a1",
  revision: 1,
  incident: {
    id: "i1",
    kind: "cardiac_arrest",
    severity: 1,
    exercise: false,
    ambulance: "dispatched",
    ambulance_eta_at: null,
  },
  status: "notified",
  role: "direct",
  aed: null,
  place: null,
  travel_s: 230,
  eta_source: "network",
  position_age_s: 20,
  going: 1,
  notified_at: "2026-11-22T14:45:00Z",
  expires_at: "2026-11-22T14:46:00Z",
  expires_in_ms: 60_000,
  ...more,
});

const mission = (more: Partial<Mission> = {}): Mission => ({
  id: "m1",
  alert: "a1",
  status: "accepted",
  role: "direct",
  steps: ["en_route", "on_scene", "with_patient", "handed_over", "cleared"],
  next_step: "en_route",
  incident: { id: "i1", kind: "cardiac_arrest", exercise: false },
  aed: null,
  times: { accepted_at: "2026-11-22T14:45:10Z" },
  call_phone: null,
  route_version: 1,
  ...more,
});

const standDown = (about = "a1"): StandDown => ({ alert: about, at: "2026-11-22T14:49:12Z", reason: null });
const live = { monotonic: 1000, ageMs: 0 };
const snapshot = (more: Partial<PersonSnapshot>): PersonSnapshot => ({
  person: { id: "p1", name: "李薇", name_en: null, username: null, language: "zh", is_invented: true },
  duty: "available",
  duty_until: null,
  alert: null,
  mission: null,
  stand_down: null,
  ...more,
});

describe("person state", () => {
  it("shows an alert until its time is over", () => {
    const state = onChanges(nobody, { alert: alert() }, live);
    expect(screenOf(state, 1000)).toBe("alert");
    expect(screenOf(state, 60_999)).toBe("alert");
    expect(screenOf(state, 61_000)).toBe("home");
  });

  it("takes off the countdown what a replayed event is old", () => {
    const state = onChanges(nobody, { alert: alert() }, { monotonic: 0, ageMs: 25_000 });
    expect(state.deadline && secondsLeft(state.deadline, 0)).toBe(35);
    const late = onChanges(nobody, { alert: alert() }, { monotonic: 0, ageMs: 70_000 });
    expect(screenOf(late, 0)).toBe("home");
  });

  it.each(["declined", "timed_out", "stood_down", "accepted"] as const)(
    "closes the alert when %s",
    (status) => {
      const state = onChanges(nobody, { alert: alert() }, live);
      expect(onChanges(state, { alert: alert({ status, revision: 2 }) }, live).alert).toBeNull();
    },
  );

  it("ignores an older revision and the end of another alert", () => {
    const state = onChanges(nobody, { alert: alert({ revision: 3 }) }, live);
    expect(onChanges(state, { alert: alert({ revision: 2, going: 9 }) }, live)).toBe(state);
    expect(onChanges(state, { alert: alert({ id: "a0", status: "timed_out" }) }, live)).toBe(state);
  });

  it("ends what a stand-down is about, and only that", () => {
    const going = onChanges(nobody, { mission: mission() }, live);
    const stopped = onChanges(going, { stand_down: standDown() }, live);
    expect(stopped.mission).toBeNull();
    expect(screenOf(stopped, 0)).toBe("stand_down");
    expect(onChanges(going, { stand_down: standDown("other") }, live).mission).not.toBeNull();
  });

  it("shows the stand-down first after a reload, then the new alert", () => {
    const state = onSnapshot(snapshot({ alert: alert({ id: "a2" }), stand_down: standDown("a1") }), live);
    expect(screenOf(state, 1000)).toBe("stand_down");
    expect(screenOf(onChanges(state, { stand_down: null }, live), 1000)).toBe("alert");
  });

  it("lets a new alert push an unread stand-down aside", () => {
    const state = onSnapshot(snapshot({ stand_down: standDown("a1") }), live);
    expect(screenOf(onChanges(state, { alert: alert({ id: "a2" }) }, live), 1000)).toBe("alert");
  });

  it("forgets a mission that is over", () => {
    const state = onChanges(nobody, { mission: mission() }, live);
    expect(onChanges(state, { mission: mission({ status: "cleared" }) }, live).mission).toBeNull();
    expect(onChanges(state, { duty: { duty: "off_duty" } }, live).mission).not.toBeNull();
  });

  it("snapshots replace everything", () => {
    const state: PersonState = onChanges(nobody, { mission: mission(), alert: alert() }, live);
    expect(state.mission).not.toBeNull();
    expect(onSnapshot(snapshot({}), live)).toEqual({ ...nobody, duty: "available" });
  });

  it("shows taps that have not been sent", () => {
    const tap = (path: string, at: string) => ({ key: path, path, body: { at }, heldUntil: 0 });
    const seen = withTaps(mission(), [
      tap("/assignments/m1/en_route", "t1"),
      tap("/assignments/other/on_scene", "t0"),
      tap("/alerts/a1/seen", "t0"),
      tap("/assignments/m1/on_scene", "t2"),
    ]);
    expect(seen.next_step).toBe("with_patient");
    expect(seen.times).toMatchObject({ en_route_at: "t1", on_scene_at: "t2" });
  });
});
