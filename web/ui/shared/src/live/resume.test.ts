import { describe, expect, it } from "vitest";
import {
  backOffMs,
  helloTopics,
  isBehind,
  isFinalClose,
  keepTopics,
  type Marks,
  onEvent,
  onSnapshot,
} from "./resume.ts";

const at = (seq: string, epoch = "e1") => ({ topic: "org:demo", epoch, seq });
const marks: Marks = { "org:demo": { epoch: "e1", seq: "7" } };

describe("events", () => {
  it("applies the next one and moves the mark", () => {
    expect(onEvent(marks, at("8"))).toEqual({
      do: "apply",
      marks: { "org:demo": { epoch: "e1", seq: "8" } },
    });
  });
  it("ignores what was seen already", () => {
    expect(onEvent(marks, at("7")).do).toBe("ignore");
    expect(onEvent(marks, at("3")).do).toBe("ignore");
  });
  it("finds a gap and keeps the mark, so that the next hello fills it", () => {
    expect(onEvent(marks, at("9"))).toEqual({ do: "gap", marks });
  });
  it("asks for a snapshot when the epoch is another", () => {
    expect(onEvent(marks, at("8", "e2"))).toEqual({ do: "gap", marks: { "org:demo": null } });
  });
  it("ignores topics that are no longer wanted", () => {
    expect(onEvent({}, at("8")).do).toBe("ignore");
  });
  it("compares numbers beyond what a float holds", () => {
    const far: Marks = { "org:demo": { epoch: "e1", seq: "9007199254740993" } };
    expect(onEvent(far, at("9007199254740994")).do).toBe("apply");
    expect(onEvent(far, at("9007199254740995")).do).toBe("gap");
  });
});

describe("snapshots", () => {
  it("replace the mark, whatever the epoch", () => {
    expect(onSnapshot(marks, at("2", "e9")).marks).toEqual({ "org:demo": { epoch: "e9", seq: "2" } });
  });
  it("of an unwanted topic change nothing", () => {
    expect(onSnapshot({}, at("2"))).toEqual({ do: "ignore", marks: {} });
  });
});

describe("topics", () => {
  it("resume where they stand and begin with null", () => {
    expect(helloTopics(marks, ["org:demo", "incident:1"])).toEqual({
      "org:demo": { epoch: "e1", seq: "7" },
      "incident:1": null,
    });
  });
  it("that are left lose their mark", () => {
    expect(keepTopics(marks, ["incident:1"])).toEqual({ "incident:1": null });
  });
});

describe("heartbeats", () => {
  it("show what has not arrived", () => {
    expect(isBehind(marks, { "org:demo": "8" })).toBe(true);
    expect(isBehind(marks, { "org:demo": "7" })).toBe(false);
  });
  it("say nothing about topics without a snapshot yet", () => {
    expect(isBehind({ "org:demo": null }, { "org:demo": "8" })).toBe(false);
  });
});

describe("back-off", () => {
  it("goes 1, 2, 4, 8, 15 seconds and stays, spread by a quarter", () => {
    expect([0, 1, 2, 3, 4, 9].map((attempt) => backOffMs(attempt, 0.5))).toEqual([
      1000, 2000, 4000, 8000, 15000, 15000,
    ]);
    expect(backOffMs(2, 0)).toBe(3000);
    expect(backOffMs(2, 1)).toBe(5000);
  });
  it("ends at 4001 and 4003 only", () => {
    expect([4001, 4003].every(isFinalClose)).toBe(true);
    expect([1006, 1012, 1013, 4008, 4009, 4029].some(isFinalClose)).toBe(false);
  });
});
