import { describe, expect, it } from "vitest";
import { hourOf, meanByPart, momentOf, percent, worstHour } from "./hours.ts";

const monday = "2026-11-15T16:00:00Z"; // 00:00 in Shanghai

describe("hours of the week", () => {
  it("goes there and back", () => {
    for (const hour of [0, 1, 70, 167]) expect(hourOf(momentOf(hour, monday), monday)).toBe(hour);
    expect(hourOf("2026-11-18T14:59:59Z", monday)).toBe(70);
    expect(hourOf("2030-01-01T00:00:00Z", monday)).toBe(167);
  });

  it("means by part of the week", () => {
    const week = Array.from({ length: 168 }, (_, hour) => (hour % 24 >= 8 && hour % 24 < 20 ? 1 : 0.5));
    expect(meanByPart(week)).toEqual({
      weekday_day: 1,
      weekday_night: 0.5,
      weekend_day: 1,
      weekend_night: 0.5,
    });
    expect(worstHour(week)).toBe(0);
  });

  it("writes shares", () => {
    expect(percent(0.6667)).toBe("66.7");
    expect(percent(0.9999)).toBe("99.9");
    expect(percent(1)).toBe("100.0");
  });
});
