import type { Aed } from "@shared/shapes.ts";
import { describe, expect, it } from "vitest";
import { landmarkOf } from "./gap_names.ts";

const aed = (address: string | null, lon: number) =>
  ({ name: "市图书馆", address, position: { type: "Point", coordinates: [lon, 43.7] } }) as unknown as Aed;

describe("a cell", () => {
  it("is called by the nearest AED", () => {
    const found = landmarkOf([7.4, 43.7], [aed("1 Quai", 7.41), aed("2 Quai", 7.401)]);
    expect(found?.name).toBe("2 Quai");
    expect(Math.round(found?.metres ?? 0)).toBe(80);
  });
  it("has no name where nothing is registered", () => {
    expect(landmarkOf([7.4, 43.7], [])).toBeNull();
  });
});
