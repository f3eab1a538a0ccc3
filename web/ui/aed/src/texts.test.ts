import type { City } from "@shared/map/city.ts";
import { en } from "@shared/words/en.ts";
import { zh } from "@shared/words/zh.ts";
import { describe, expect, it } from "vitest";
import type { PublicAed } from "./finder.ts";
import { dialled, hoursText, minutes, stateText, whenText, zoneAt } from "./texts.ts";

const SUNDAY = Date.parse("2026-11-22T09:30:00Z");
const at = { now: SUNDAY, words: en, zone: "Europe/Monaco" };
const aed = (more: Partial<PublicAed>) =>
  ({ status: "in_service", usable: "no", usable_reason: "closed", usable_until: null, ...more }) as PublicAed;
const city = (time_zone: string, size: number) =>
  ({ time_zone, bounds: [7 - size, 43 - size, 7 + size, 43 + size] }) as City;

describe("texts", () => {
  it("tells the hour of the place, and the day when it is another", () => {
    expect(whenText("2026-11-22T22:00:00Z", at)).toBe("23:00");
    expect(whenText("2026-11-23T07:00:00Z", at)).toBe("Mon 08:00");
    expect(whenText("2026-12-23T07:00:00Z", at)).toBe("2026-12-23 08:00");
    expect(whenText("2026-11-22T22:00:00Z", { ...at, words: zh, zone: "Asia/Shanghai" })).toBe("周一 06:00");
  });

  it("says why not and until when", () => {
    const until = { usable_until: "2026-11-23T07:00:00Z" };
    expect(stateText(aed(until), en, SUNDAY, "Europe/Monaco")).toBe("Closed, opens Mon 08:00");
    expect(stateText(aed({ usable_reason: "expired" }), en, SUNDAY)).toBe("Pads or battery expired");
    expect(stateText(aed({ usable: "unknown", usable_reason: "brand new" }), en, SUNDAY)).toBe("Unknown");
    expect(stateText(aed({ status: "out_of_service" }), zh, SUNDAY)).toBe("停用");
  });

  it("names the days of opening hours", () => {
    expect(hoursText("Mo-Fr 08:00-19:00; PH off", zh)).toBe("周一-周五 08:00-19:00; 节假日 off");
    expect(hoursText("24/7", en)).toBe("Open 24 h");
  });

  it("takes the smallest city around a place", () => {
    const cities = [city("Asia/Tokyo", 2), city("Europe/Monaco", 1)];
    expect(zoneAt(cities, { type: "Point", coordinates: [7.1, 43.1] })).toBe("Europe/Monaco");
    expect(zoneAt(cities, { type: "Point", coordinates: [8.5, 43.1] })).toBe("Asia/Tokyo");
    expect(zoneAt(cities, { type: "Point", coordinates: [20, 43] })).toBeUndefined();
  });

  it("gives what a phone can dial, and whole minutes", () => {
    expect(dialled("+377 93 15 30 15; +377 1")).toBe("+37793153015");
    expect([minutes(0), minutes(60), minutes(61)]).toEqual([1, 1, 2]);
  });
});
