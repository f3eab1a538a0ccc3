import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { PersonChanges, PersonSnapshot } from "@shared/shapes.ts";
import { describe, expect, it } from "vitest";
import { onChanges, onSnapshot, type PersonState } from "./person_state.ts";

interface Golden {
  before: PersonSnapshot;
  events: { body: PersonChanges }[];
  after: PersonSnapshot;
}

const folder = fileURLToPath(new URL("../../../../tests/golden/", import.meta.url));
const examples = readdirSync(folder).filter((name) => name.startsWith("person."));
const read = (name: string) => JSON.parse(readFileSync(folder + name, "utf8")) as Golden;
const now = { monotonic: 0, ageMs: 0 };

/** What the server knows too; which AED is still carried only the phone does. */
const shown = ({ duty, dutyUntil, alert, mission, standDown }: PersonState) => ({
  duty,
  dutyUntil,
  alert,
  mission,
  standDown,
});

// BRD-1: the server writes these examples; here the phone's half of the rule is proved.
describe("BRD-1 the snapshot before, with the events applied, is the snapshot after", () => {
  it.each(examples)("%s", (name) => {
    const { before, events, after } = read(name);
    const reached = events.reduce((state, { body }) => onChanges(state, body, now), onSnapshot(before, now));
    expect(shown(reached)).toEqual(shown(onSnapshot(after, now)));
  });
  it.each(examples)("applying twice changes nothing: %s", (name) => {
    const { events, after } = read(name);
    const last = events.at(-1);
    const state = onSnapshot(after, now);
    if (last) expect(shown(onChanges(state, last.body, now))).toEqual(shown(state));
  });
});
