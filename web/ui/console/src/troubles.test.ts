import { en } from "@shared/words/en.ts";
import { zh } from "@shared/words/zh.ts";
import { describe, expect, it } from "vitest";
import { ago, NOW } from "./test_examples.ts";
import { allTroubles, isCalm, isNews, keyOf, sayTrouble } from "./troubles.ts";

const worker = { kind: "worker", since: ago(20) };
const clock = { kind: "clock", since: ago(90), seconds: -7200 };
const push = { kind: "channel", subject: "web_push", since: ago(5) };

describe("troubles", () => {
  it("WAT_9 stand by weight, the page's own loss first", () => {
    const kinds = (lostAt: number | null) =>
      allTroubles([clock, worker], lostAt, NOW).map(({ kind }) => kind);
    expect(kinds(null)).toEqual(["worker", "clock"]);
    expect(kinds(NOW - 4_000)).toEqual(["worker", "clock"]);
    expect(kinds(NOW - 5_000)).toEqual(["lost", "worker", "clock"]);
  });
  it("WAT_9 open the banner again when another thing breaks, and not before", () => {
    const seen = new Set([worker].map(keyOf));
    expect(isNews([worker], seen)).toBe(false);
    expect(isNews([worker, push], seen)).toBe(true);
  });
  it("are loud unless nothing is held up", () => {
    expect([worker, push].some(isCalm)).toBe(false);
    expect([clock, { ...worker, subject: "planning" }].every(isCalm)).toBe(true);
  });
});

describe("the words of a trouble", () => {
  it("name what is broken and what to do, in both languages", () => {
    for (const words of [zh, en])
      for (const kind of Object.keys(words.trouble.what)) {
        const { what, action } = sayTrouble({ kind, since: ago(1) }, words);
        expect(what.length).toBeGreaterThan(5);
        expect(action.length).toBeGreaterThan(10);
      }
  });
  it("name the channel and how far a clock is off", () => {
    expect(sayTrouble(push, en).what).toContain(en.decision.channel.web_push);
    expect(sayTrouble(clock, zh).what).toBe("服务器时钟不准（相差 7200 秒）");
    expect(sayTrouble(clock, en).what).toBe("The server's clock is wrong (7200 s off)");
  });
  it("of a kind that this page does not know still say something", () => {
    expect(sayTrouble({ kind: "volcano", since: ago(1) }, zh).what).toContain("volcano");
  });
});
