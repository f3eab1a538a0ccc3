import { Problem } from "@shared/api.ts";
import { describe, expect, it } from "vitest";
import { at, failure, secondsShown, shownFrom } from "./cabinet_code.ts";
import { fitted } from "./picture.ts";

describe("the code of a cabinet", () => {
  it("stands for a minute and is gone then", () => {
    const state = shownFrom("4711#", 1000);
    expect(at(state, 60_999)).toBe(state);
    expect(secondsShown(state, 1000)).toBe(60);
    expect(secondsShown(state, 60_999)).toBe(1);
    const after = at(state, 61_000);
    expect(after).toEqual({ kind: "hidden" });
    expect(JSON.stringify(after)).not.toContain("4711");
  });

  it("says whether there is none, or nobody could be asked", () => {
    const problem = (status: number) => new Problem({ title: "", status, code: "" });
    expect(failure(problem(404))).toEqual({ kind: "failed", why: "none" });
    expect(failure(problem(503))).toEqual({ kind: "failed", why: "away" });
    expect(failure(new Error())).toEqual({ kind: "failed", why: "away" });
  });
});

describe("a picture", () => {
  it("is at most 1600 points wide or high, and is never made larger", () => {
    expect(fitted(4000, 3000)).toEqual({ width: 1600, height: 1200 });
    expect(fitted(3000, 4000)).toEqual({ width: 1200, height: 1600 });
    expect(fitted(640, 480)).toEqual({ width: 640, height: 480 });
    expect(fitted(16_000, 2)).toEqual({ width: 1600, height: 1 });
  });
});
