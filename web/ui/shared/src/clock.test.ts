import { describe, expect, it } from "vitest";
import { minutesSeconds, running, secondsSince } from "./clock.ts";

describe("clocks", () => {
  it("run as mm:ss and from one hour as h:mm:ss", () => {
    expect([0, 59, 192, 3599, 3600, 5045].map(running)).toEqual([
      "00:00",
      "00:59",
      "03:12",
      "59:59",
      "1:00:00",
      "1:24:05",
    ]);
  });
  it("never go below zero", () => {
    expect(running(-3)).toBe("00:00");
    expect(minutesSeconds(-3)).toBe("0:00");
  });
  it("expect arrivals as m:ss", () => {
    expect([50, 100, 611.6].map(minutesSeconds)).toEqual(["0:50", "1:40", "10:12"]);
  });
  it("count from a time, or say that there is none", () => {
    const now = Date.parse("2026-11-22T08:00:10Z");
    expect(secondsSince("2026-11-22T08:00:00Z", now)).toBe(10);
    expect(secondsSince(null, now)).toBeNull();
    expect(secondsSince("soon", now)).toBeNull();
  });
});
