import { en } from "@shared/words/en.ts";
import { zh } from "@shared/words/zh.ts";
import { describe, expect, it } from "vitest";
import { chartLength, gainShare, percent, sooner, wayOf } from "./plan_chart.ts";
import { byReason, gainText, modesText, ownSentence, parted } from "./plan_people.ts";
import { candidate, plan, point } from "./test_examples.ts";

const outcome = (cpr_s: number, shock_s: number) => ({ index: 0.05, cpr_s, shock_s });
const expected = {
  nobody: outcome(560, 650),
  all_direct: outcome(400, 650),
  plan: outcome(400, 590),
};
const aed = {
  ...{ id: "d1", name: "市图书馆", position: point(), usable: "yes" as const },
  ...{ usable_reason: null, usable_until: null, walk_s: 100, chosen: true },
};

describe("the scale of a plan", () => {
  it("shows eight minutes at least and reaches past the ambulance", () => {
    expect(chartLength(plan({ scene: { ambulance_s: 200, lead_s: 70, vertical_s: 42 } }))).toBe(600);
    expect(chartLength(plan({ expected }))).toBe(720);
  });
  it("keeps what lies beyond its end at its end", () => {
    expect([percent(360, 720), percent(9e9, 720), percent(-5, 720)]).toEqual(["50.00%", "100.00%", "0.00%"]);
  });
});

describe("a person's way", () => {
  const scene = { ambulance_s: 560, lead_s: 70, vertical_s: 42 };
  it("waits, walks and goes up, and ends with the arrival", () => {
    const way = wayOf(candidate({ role: "direct", travel_s: 120, arrives_s: 232 }), plan({ scene }));
    expect(way?.stretches).toEqual([
      { fromS: 0, toS: 70, look: "wait" },
      { fromS: 70, toS: 190, look: "walk" },
      { fromS: 190, toS: 232, look: "inside" },
    ]);
  });
  it("passes the AED as far from the patient as the AED hangs", () => {
    const fetching = candidate({ role: "via_aed", aed: "d1", travel_s: 240, arrives_s: 352 });
    const way = wayOf(fetching, plan({ scene, aeds: [aed] }));
    expect(way?.pickupS).toBe(210);
    expect(way?.stretches.map(({ look }) => look)).toEqual(["wait", "fetch", "carry", "inside"]);
  });
  it("is not drawn where the time is unknown", () => {
    expect(wayOf(candidate({ arrives_s: null }), plan())).toBeNull();
  });
});

describe("what a plan wins", () => {
  it("is counted against alerting nobody", () => {
    expect(sooner(expected)).toEqual({ cprS: 160, shockS: 60 });
    expect(sooner({ ...expected, plan: expected.nobody })).toBeNull();
  });
  it("is shared among the chosen by what each adds", () => {
    const [most, least] = [candidate({ marginal: 0.004 }), candidate({ marginal: 0.001 })];
    expect(gainShare(least, plan({ chosen: [most, least] }))).toBe(0.25);
    expect(gainShare(candidate(), plan({ chosen: [candidate()] }))).toBe(0);
  });
  it("reads in points, or in minutes for the model without survival", () => {
    expect([gainText(0.0123, false), gainText(0.0017, false)]).toEqual(["1.2", "0.17"]);
    expect([gainText(1.26, true), gainText(null, true)]).toEqual(["1.3", ""]);
  });
});

describe("the people of a plan", () => {
  it("keep their sentence without the name that stands beside it", () => {
    expect(ownSentence(candidate(), "zh")).toBe("未通知：距离80米，任务中");
    expect(ownSentence(candidate(), "en")).toBe("Not asked: 80 m away, busy");
    expect(ownSentence(candidate({ sentence: { zh: "另一句", en: "another" } }), "zh")).toBe("另一句");
  });
  it("stand by reason, the nearest person's reason first", () => {
    const groups = byReason([
      candidate({ responder: "far", reason: "busy", direct_s: 300 }),
      candidate({ responder: "near", reason: "off_duty", direct_s: 60 }),
      candidate({ responder: "nearer", reason: "busy", direct_s: 90 }),
      candidate({ responder: "chosen", reason: null }),
    ]);
    expect(groups.map(({ reason, people }) => [reason, people.map(({ responder }) => responder)])).toEqual([
      ["off_duty", ["near"]],
      ["busy", ["nearer", "far"]],
    ]);
  });
  it("are counted where so many are within reach that not all were weighed", () => {
    const { excluded, aside } = parted({
      ...plan(),
      excluded: [
        candidate({ responder: "near" }),
        { responder: "a", reason: "many_nearer" },
        { responder: "b", reason: "many_nearer" },
        { responder: "c", reason: "off_duty" },
      ],
    });
    expect(excluded.map(({ responder }) => responder)).toEqual(["near"]);
    expect(aside).toEqual({ many_nearer: 2, off_duty: 1 });
  });
  it("are told what the plan had to do without", () => {
    expect(modesText(["no_routing", "newer"], zh)).toEqual(["路网未就绪，步行时间按直线估算", "newer"]);
    expect(modesText(["deadline"], en)).toEqual(["Time for the search ran out: this is the best plan found"]);
  });
});
