import type { ShippedPolicy, Task } from "@shared/shapes.ts";
import { en } from "@shared/words/en.ts";
import { zh } from "@shared/words/zh.ts";
import { describe, expect, it } from "vitest";
import { ago, NOW } from "../test_examples.ts";
import { differences, draftName, GROUPS, restOf } from "./policy_fields.ts";
import { formatHash, parseHash } from "./route.ts";
import { factsOf, subjectOf, taskKinds, timeLeft } from "./task_words.ts";

const document = { name: "expected-survival", version: 1, chooser: "expected_survival", wave_size: 8 };
const shipped: ShippedPolicy[] = [
  { ...{ name: "expected-survival", version: 1, chooser: "expected_survival", digest: "" }, document },
];

describe("a policy of an office", () => {
  it("is told by what it changes, whatever the order of its names", () => {
    const base = { ...document, arrest: { total: 3, direct: 1 } };
    const theirs = [{ ...shipped[0], document: base } as ShippedPolicy];
    const own = { ...base, name: "ours", version: 4, wave_size: 6, arrest: { direct: 1, total: 3 } };
    expect(differences(own, theirs).fields).toEqual(["wave_size"]);
    expect(differences({ chooser: "unheard" }, theirs)).toEqual({ base: null, fields: [] });
  });
  it("has a plain word and an explanation for each of its fields", () => {
    for (const name of Object.values(GROUPS).flat()) {
      for (const { office } of [zh, en]) {
        expect([office.policy.fields[name], office.policy.hints[name]]).not.toContain(undefined);
      }
    }
  });
  it("keeps the rest for those who read JSON", () => {
    expect(restOf({ ...document, ladder: {} })).toEqual({ ladder: {} });
    expect(draftName("nearest-10")).toBe("our-nearest-10");
  });
  it("has an address, shipped or of the office", () => {
    const route = parseHash("#policies/shipped%3Anearest-10");
    expect(route?.item).toBe("shipped:nearest-10");
    expect(route && formatHash(route)).toBe("#policies/shipped%3Anearest-10");
  });
});

const task = (change: Partial<Task>): Task => ({
  ...{ id: "t", kind: "aed_problem", subject: "d1", body: {}, exercise: false, note: null },
  ...{ taken_by: null, done_by: null, created_at: ago(60), due_at: ago(-3600) },
  ...{ taken_at: null, done_at: null, overdue_at: null },
  ...change,
});

describe("a task", () => {
  it("says how long there is, or since when it is late", () => {
    expect(timeLeft(task({}), zh, NOW)).toEqual({ text: "还有 1 小时", isLate: false });
    expect(timeLeft(task({ due_at: ago(120) }), en, NOW)).toEqual({ text: "2 min overdue", isLate: true });
  });
  it("names its subject and its facts, never an id", () => {
    const body = {
      aed: "01a20361-c96c-7696-8f6c-fb2ecc20f904",
      aed_name: "市图书馆",
      custodians: [{ rank: 1, unit: "物业", name: "陈静" }],
    };
    expect(subjectOf(task({ body }), zh)).toBe("市图书馆");
    expect(subjectOf(task({ body: { channel: "web_push" } }), zh)).toBe("推送");
    expect(factsOf(task({ body: { what: "locked" } }), zh)).toEqual([["问题", "锁着"]]);
    expect(factsOf(task({ body }), zh)).toEqual([
      ["AED", "市图书馆"],
      ["管理人", "物业 陈静"],
    ]);
  });
  it("is counted by kind", () => {
    expect(taskKinds([task({}), task({}), task({ kind: "channel" })])).toEqual(["aed_problem", "channel"]);
  });
});
