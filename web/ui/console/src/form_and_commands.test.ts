import { zh } from "@shared/words/zh.ts";
import { describe, expect, it } from "vitest";
import { parseCommand } from "./command_grammar.ts";
import { KINDS, matchKinds } from "./kind_match.ts";

const names = zh.domain.kind;
const best = (typed: string) => matchKinds(typed, names)[0]?.kind;

describe("a kind", () => {
  it.each([
    ["xt", "cardiac_arrest"],
    ["XT", "cardiac_arrest"],
    ["ｘｔ", "cardiac_arrest"],
    ["心停", "cardiac_arrest"],
    ["xinzang", "cardiac_arrest"],
    ["1", "cardiac_arrest"],
    ["cs", "trauma"],
    ["外伤", "trauma"],
    ["arrest", "cardiac_arrest"],
    ["ns", "drowning"],
    ["9", "other"],
  ] as const)("is found by %s", (typed, kind) => {
    expect(best(typed)).toBe(kind);
  });
  it("offers all for nothing and none for nonsense", () => {
    expect(matchKinds("", names)).toHaveLength(KINDS.length);
    expect(matchKinds("zzz", names)).toEqual([]);
  });
  it("has one abbreviation that belongs to it alone", () => {
    const firsts = KINDS.map(({ keys }) => keys[0]);
    expect(new Set(firsts).size).toBe(KINDS.length);
    for (const { kind, keys } of KINDS) expect(best(keys[0] ?? "")).toBe(kind);
  });
});

describe("a command", () => {
  const read = (line: string) => parseCommand(line, names);

  it("opens the form with what is known", () => {
    expect(read("/x 心停 滨江大道 188 号")).toEqual({ do: "new", kind: "心停", where: "滨江大道 188 号" });
    expect(read("x rue grimaldi")).toEqual({ do: "new", kind: "", where: "rue grimaldi" });
  });
  it("records 120 for the open incident or a named one", () => {
    expect(read("/120 已派车 7分钟")).toEqual({
      do: "ambulance",
      number: null,
      state: "dispatched",
      etaS: 420,
    });
    expect(read("/120 12 到场")).toEqual({ do: "ambulance", number: "12", state: "on_scene", etaS: null });
    expect(read("/120 dispatched 7")).toMatchObject({ state: "dispatched", etaS: 420 });
    expect(read("/120 什么")).toEqual({ do: "unknown" });
  });
  it("adds a line", () => {
    expect(read("/c 12 现场家属情绪激动")).toEqual({ do: "line", number: "12", text: "现场家属情绪激动" });
    expect(read("/c")).toEqual({ do: "unknown" });
  });
  it("understands the slash of a Chinese keyboard", () => {
    expect(read("、p")).toEqual({ do: "plan", number: null });
  });
  it("looks for an incident otherwise", () => {
    expect(read("/12")).toEqual({ do: "find", text: "12" });
    expect(read("grimaldi")).toEqual({ do: "find", text: "grimaldi" });
  });
});
