import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Frame, Level, Output, Via } from "./frames.ts";
import { Machine } from "./machine.ts";
import type { Cursors } from "./marks.ts";

interface Step {
  at: number;
  do: "start" | "stop" | "opened" | "heard" | "polled" | "closed" | "tick" | "ack" | "listen";
  via: Via;
  frame: Frame;
  code: number | null;
  alert: string;
  level: Level;
  topics: string[];
  then: Output[];
  wake: number | null;
}

interface Session {
  name: string;
  cursors: Cursors;
  random: number[];
  steps: Step[];
  ends: Cursors;
}

const path = new URL("../../../../../tests/golden/live/sessions.json", import.meta.url);
const sessions = JSON.parse(readFileSync(path, "utf8")) as Session[];

function play(machine: Machine, step: Step): Output[] {
  switch (step.do) {
    case "start":
      return machine.start(step.at);
    case "stop":
      return machine.stop();
    case "opened":
      return machine.opened();
    case "heard":
      return machine.heard(step.via, step.frame, step.at);
    case "polled":
      return machine.polled(step.at);
    case "closed":
      return machine.closed(step.via, step.code, step.at);
    case "tick":
      return machine.tick(step.at);
    case "ack":
      return machine.ack(step.alert, step.level, step.at);
    case "listen":
      return machine.listen(step.topics, step.at);
  }
}

// RT-14: tests/web/test_live_machine.py writes these sessions and plays them with the twin in Python.
describe("RT-14 the client does what the session says", () => {
  it.each(sessions)("$name", ({ cursors, random, steps, ends }) => {
    const chance = [...random];
    const machine = new Machine(cursors, { app: "test" }, () => chance.shift() ?? Number.NaN);
    for (const step of steps) {
      const done = play(machine, step);
      expect([step.at, done, machine.wakeAt]).toEqual([step.at, step.then, step.wake]);
    }
    expect(machine.marks.cursors).toEqual(ends);
  });
});
