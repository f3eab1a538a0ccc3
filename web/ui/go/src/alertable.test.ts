import type { Me } from "@shared/shapes.ts";
import { zh } from "@shared/words/zh.ts";
import { describe, expect, it } from "vitest";
import { blocksOf, blockText, isPartly } from "./alertable.ts";

const me = (...codes: string[]): Me =>
  ({
    blocked: [],
    alertable: { ok: false, reasons: codes.map((code) => ({ code, args: {} })) },
  }) as unknown as Me;
const fixes = (...codes: string[]) => blocksOf(me(...codes), "off_duty").map(({ fix }) => fix);

describe("blocksOf", () => {
  it("gives each reason its tap", () => {
    expect(fixes("resting", "certificate_expired", "position_stale", "quiet_hours")).toEqual([
      "end_rest",
      "certificate",
      "position",
      "quiet",
    ]);
    expect(fixes("alert_budget_used", "under_age", "from_the_future")).toEqual([null, null, null]);
  });
  it("leaves to the switch what the switch says, unless there is more", () => {
    expect(fixes("off_duty")).toEqual([]);
    expect(fixes("off_duty", "no_position")).toEqual(["duty", "position"]);
    expect(blocksOf(me("off_duty", "no_position"), "available").map(({ code }) => code)).toEqual([
      "no_position",
    ]);
    expect(fixes("busy")).toEqual([]);
  });
  it("tells quiet hours with exceptions from silence", () => {
    const quiet = (except: string[]) => [{ code: "quiet_hours", args: { except }, fix: null }];
    expect([isPartly(quiet(["trauma"])), isPartly(quiet([])), isPartly([])]).toEqual([true, false, false]);
  });
  it("reads the codes alone where a server says no more", () => {
    const old = { blocked: ["no_certificate"] } as unknown as Me;
    expect(blocksOf(old, "available")).toEqual([{ code: "no_certificate", args: {}, fix: "certificate" }]);
    expect(blocksOf(null, "unknown")).toEqual([]);
  });
});

describe("blockText", () => {
  const text = (code: string, args: Record<string, unknown> = {}) =>
    blockText({ code, args, fix: null }, zh.care.blocked, {
      when: (time) => `<${time}>`,
      kinds: (codes) => codes.join(),
    });
  it("says until when, and since when, where that is known", () => {
    expect(text("resting", { until: "T" })).toBe("休整到 <T>");
    expect(text("resting")).toBe("休整中");
    expect(text("certificate_expired", { expired_on: "2026-11-20" })).toBe("救护员证 2026-11-20 已到期");
    expect(text("quiet_hours", { except: ["trauma"] })).toBe("在勿扰时段内，只通知trauma");
    expect(text("quiet_hours", { except: [] })).toBe("在勿扰时段内");
    expect(text("from_the_future")).toBe("from_the_future");
  });
});
