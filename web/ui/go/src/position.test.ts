import { describe, expect, it } from "vitest";
import { type Fix, metres, worthSending } from "./position.ts";

const fix = (at: number, lat = 43.7384): Fix => ({ lon: 7.4246, lat, accuracy_m: 10, at });

describe("position", () => {
  it("sends nothing off duty and the first fix always", () => {
    expect(worthSending(null, fix(0), "none")).toBe(false);
    expect(worthSending(null, fix(0), "duty")).toBe(true);
  });

  it("sends every three seconds on a mission", () => {
    expect(worthSending(fix(0), fix(2999), "mission")).toBe(false);
    expect(worthSending(fix(0), fix(3000), "mission")).toBe(true);
  });

  it("sends each minute on duty, or after a hundred metres", () => {
    expect(worthSending(fix(0), fix(59_000), "duty")).toBe(false);
    expect(worthSending(fix(0), fix(60_000), "duty")).toBe(true);
    expect(worthSending(fix(0), fix(11_000, 43.7394), "duty")).toBe(true);
    expect(worthSending(fix(0), fix(9000, 43.7394), "duty")).toBe(false);
  });

  it("measures close distances", () => {
    expect(metres({ lon: 7.42, lat: 43.73 }, { lon: 7.42, lat: 43.74 })).toBeCloseTo(1111.95, 0);
    expect(metres({ lon: 7.42, lat: 43.73 }, { lon: 7.43, lat: 43.73 })).toBeCloseTo(803.4, 0);
  });
});
