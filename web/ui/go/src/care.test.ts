import type { Me, Reach, Survey } from "@shared/shapes.ts";
import { en } from "@shared/words/en.ts";
import { describe, expect, it, vi } from "vitest";

vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined, removeItem: () => undefined });
const { dueOf, restHours } = await import("./survey.ts");
const { quietOf, wrongWith } = await import("./quiet.ts");
const { reachText, worthRow } = await import("./reach.ts");
const { daysAway } = await import("./day_time.ts");
const { platformOf } = await import("./platform.ts");

describe("survey", () => {
  const survey = { id: "s1", round: 1 } as Survey;
  const me = (some: Survey | null) => ({ survey: some }) as unknown as Me;
  it("is asked until it was answered on this phone", () => {
    expect(dueOf(me(survey), [])).toBe(survey);
    expect(dueOf(me(survey), ["s1"])).toBeNull();
    expect(dueOf(me(null), [])).toBeNull();
    expect(dueOf(null, [])).toBeNull();
  });
  it("offers a rest between nothing and the gravest, after which one rests anyway", () => {
    expect((["none", "low", "moderate", "severe"] as const).map(restHours)).toEqual([null, 24, 24, null]);
  });
});

describe("quiet hours", () => {
  it("are read in minutes, and none are none", () => {
    expect(quietOf({ from: "22:00:00", until: "07:00:00", except: [] })?.until).toBe("07:00");
    expect(quietOf(null)).toBeNull();
  });
  it("must have a length", () => {
    expect(wrongWith({ from: "07:00", until: "07:00", except: [] })).toBe("same");
    expect(wrongWith({ from: "", until: "07:00", except: [] })).toBe("same");
    expect(wrongWith({ from: "22:00", until: "07:00", except: [] })).toBeNull();
  });
});

describe("channels", () => {
  const way = (channel: string, state: Reach["state"]): Reach => ({ channel, state, heard_at: null });
  it("have a row each, messengers only where they are set up", () => {
    expect(worthRow(way("sms", "off"))).toBe(true);
    expect(worthRow(way("wecom", "none"))).toBe(false);
    expect(worthRow(way("wecom", "ready"))).toBe(true);
  });
  it("are bad only where something is to be done", () => {
    expect(reachText(way("sms", "off"), en).bad).toBe(false);
    expect(reachText(way("sms", "none"), en)).toMatchObject({ bad: true, wantsNumber: true });
    expect(reachText(way("web_push", "dead"), en)).toMatchObject({ bad: true, wantsNumber: false });
    expect(reachText({ ...way("voice", "ready"), heard_at: "2020-01-02T12:00:00Z" }, en).text).toMatch(
      /^Rang/,
    );
  });
});

describe("daysAway", () => {
  const at = (day: number, hour: number) => new Date(2026, 10, day, hour);
  it("counts midnights, not hours", () => {
    expect(daysAway(at(23, 1).toISOString(), at(22, 23).getTime())).toBe(1);
    expect(daysAway(at(22, 1).toISOString(), at(22, 23).getTime())).toBe(0);
    expect(daysAway(at(21, 23).toISOString(), at(22, 1).getTime())).toBe(-1);
  });
});

describe("platformOf", () => {
  it("knows an iPad that says to be a Mac, and HarmonyOS that says to be Android", () => {
    expect(platformOf("Mozilla/5.0 (Macintosh; Intel Mac OS X)", 5)).toBe("ios");
    expect(platformOf("Mozilla/5.0 (Macintosh; Intel Mac OS X)", 0)).toBe("other");
    expect(platformOf("Mozilla/5.0 (Linux; Android 12; HarmonyOS) ArkWeb", 5)).toBe("harmony");
    expect(platformOf("Mozilla/5.0 (Linux; Android 14)", 5)).toBe("android");
  });
});
