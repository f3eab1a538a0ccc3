import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Board, Changes, IncidentSnapshot } from "../shapes.ts";
import { applyToBoard, applyToIncident, applyToTeam } from "./apply_event.ts";

interface Golden<T> {
  before: T;
  events: { seq: string; kind: string; at: string; body: Changes }[];
  after: T;
}

const folder = fileURLToPath(new URL("../../../../../tests/golden/", import.meta.url));
const examples = (topic: string) => readdirSync(folder).filter((name) => name.startsWith(`${topic}.`));
const read = <T>(name: string) => JSON.parse(readFileSync(folder + name, "utf8")) as Golden<T>;

// BRD-1: the server writes these examples; here the browser's half of the rule is proved.
describe("BRD-1 the snapshot before, with the events applied, is the snapshot after", () => {
  it.each(examples("org"))("%s", (name) => {
    const { before, events, after } = read<Board>(name);
    expect(events.reduce((board, { body }) => applyToBoard(board, body), before)).toEqual(after);
  });
  it.each(examples("incident"))("%s", (name) => {
    const { before, events, after } = read<IncidentSnapshot>(name);
    expect(events.reduce((known, { body }) => applyToIncident(known, body), before)).toEqual(after);
  });
});

describe("BRD-2 a team's leader has the answers", () => {
  it.each(examples("team"))("%s", (name) => {
    type Team = Parameters<typeof applyToTeam>[0];
    const { before, events, after } = read<Team>(name);
    const told = events as unknown as { body: Parameters<typeof applyToTeam>[1] }[];
    expect(told.reduce((team, { body }) => applyToTeam(team, body), before)).toEqual(after);
  });
});

describe("every example is played", () => {
  it("by the board, the card, the phone (person_golden.test.ts) or the team", () => {
    const nouns = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name.split(".")[0]);
    expect(new Set(nouns)).toEqual(new Set(["org", "incident", "person", "team"]));
  });
});

describe("applying twice", () => {
  it.each(examples("org"))("changes nothing: %s", (name) => {
    const { events, after } = read<Board>(name);
    const last = events.at(-1);
    if (last) expect(applyToBoard(after, last.body)).toEqual(after);
  });
});

describe("sameness", () => {
  it("leaves alone what an event does not mention", () => {
    const { before } = read<Board>("org.alert_seen.json");
    const next = applyToBoard(before, {});
    expect(next.alerts).toBe(before.alerts);
    expect(next.assignments).toBe(before.assignments);
  });
});
