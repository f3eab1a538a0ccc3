import { en } from "@shared/words/en.ts";
import { zh } from "@shared/words/zh.ts";
import { describe, expect, it } from "vitest";
import { arrivalText } from "./arrival_text.ts";
import { isSystemLine, lineText } from "./line_text.ts";
import { lacksNumber, maskedPhone, placeText, shortName } from "./names.ts";
import { reasonText } from "./reason_text.ts";
import { ago, candidate, incident, line } from "./test_examples.ts";

const asWritten = (_id: string, known: string) => known;
const said = (change: Parameters<typeof line>[0], words = zh) => {
  const { actor, text } = lineText(line(change), words, asWritten);
  return `${actor}|${text}`;
};

describe("a line of the timeline", () => {
  it("says who did what", () => {
    expect(said({ kind: "note", text: "家属在门口" })).toBe("陈静|家属在门口");
    expect(said({ kind: "opened", args: { kind: "cardiac_arrest" } })).toBe("陈静|建立事件 · 疑似心脏骤停");
    expect(said({ kind: "closed", args: { disposition: "false_alarm" } })).toBe("陈静|结案 · 误报");
  });
  it("counts a wave and names its policy", () => {
    const args = { wave: 2, asked: 4, policy: "first-policy v1" };
    expect(said({ kind: "wave_sent", args })).toBe("|第 2 批通知 4 人 · 策略 first-policy v1");
    expect(said({ kind: "wave_sent", args }, en)).toBe("|Wave 2: alerted 4 · policy first-policy v1");
  });
  it("calls a shipped policy by its name", () => {
    const args = { wave: 1, asked: 1, policy: "expected-survival v1" };
    expect(said({ kind: "wave_sent", args })).toContain("策略 预期生存 v1");
  });
  it("says where somebody was led instead", () => {
    const by = { actor: null, kind: "aed_replaced" } as const;
    const ways = [{ role: "via_aed", aed_name: "市图书馆" }];
    expect(said({ ...by, args: { ways } })).toBe("|改取 市图书馆");
    expect(said({ ...by, args: { ways: [{ role: "direct", aed_name: null }] } })).toBe("|改为直接前往");
    expect(said({ ...by, args: {} })).toBe("|改走另一台 AED 或直接前往");
  });
  it("reads the ambulance as an actor", () => {
    const args = { ambulance: "dispatched", eta_at: ago(100 - 420) };
    expect(said({ kind: "ambulance", args })).toBe("120|已派车 · 约 7 分钟 · 陈静记录");
  });
  it("names the people it is about, three at most", () => {
    const responders = ["王", "李", "赵", "孙"].map((name) => ({ id: name, name }));
    expect(said({ kind: "alert_timed_out", actor: null, args: { responders } })).toBe("王、李、赵 +1|未响应");
    expect(said({ kind: "stood_down", args: { responders } })).toBe("陈静|解除人员 · 4 人");
  });
  it("says why somebody cannot go or gave up", () => {
    const args = { responder: "r1", name: "王建国" };
    expect(said({ kind: "unable", args, text: "no_access" })).toBe("王建国|无法到达 · 进不去");
    expect(said({ kind: "unable", args, text: "腿伤了" })).toBe("王建国|无法到达 · 腿伤了");
  });
  it("shows a kind it does not know", () => {
    expect(said({ kind: "weather_turned" })).toBe("陈静|weather_turned");
  });
  it("hides how messages fared until asked", () => {
    expect(isSystemLine(line({ kind: "alert_delivered" }))).toBe(true);
    expect(isSystemLine(line({ kind: "alert_accepted" }))).toBe(false);
  });
});

describe("an arrival", () => {
  it("says by how much it is late", () => {
    expect([arrivalText(75, zh), arrivalText(0, zh), arrivalText(-33, zh)]).toEqual([
      "1:15",
      "0:00",
      "晚 0:33",
    ]);
    expect(arrivalText(-33, en)).toBe("0:33 late");
  });
});

describe("a reason", () => {
  it.each([
    [{ reason: "busy" }, "任务中", "Busy"],
    [
      { reason: "certificate_expired", reason_args: { expired_on: "2026-11-20" } },
      "救护员证 11月20日 到期",
      "Certificate expired 20 Nov",
    ],
    [{ reason: "position_stale", position_age_s: 720 }, "位置 12 分钟前", "Position 12 min old"],
    [{ reason: "too_far", direct_s: 1020 }, "步行 17 分钟，超出时限", "17 min walk, beyond limit"],
    [{ reason: "new_rule", reason_text: "新规则" }, "新规则", "新规则"],
  ])("is a fact: %o", (change, chinese, english) => {
    expect(reasonText(candidate(change), zh, "zh")).toBe(chinese);
    expect(reasonText(candidate(change), en, "en")).toBe(english);
  });
});

describe("names", () => {
  it("are short where there is little room", () => {
    expect([shortName("王建国"), shortName("Jianguo Wang")]).toEqual(["王", "Wang"]);
  });
  it("of places fall back to coordinates, latitude first as people say them", () => {
    expect(placeText(incident({ address: null }))).toBe("43.73500, 7.42000");
  });
  it("of streets do not stand for a house number that was said", () => {
    expect(lacksNumber("12 rue grimaldi", "Rue Grimaldi")).toBe(true);
    expect(lacksNumber("12 rue grimaldi", "12 Rue Grimaldi")).toBe(false);
    expect(lacksNumber("滨江大道１８８号", "滨江大道")).toBe(true);
    expect(lacksNumber("rue grimaldi", "Rue Grimaldi")).toBe(false);
  });
  it("of callers keep the middle of their number to themselves", () => {
    expect(maskedPhone("13812346021")).toBe("138****6021");
    expect(maskedPhone("110")).toBe("110");
  });
});
