import { describe, expect, it } from "vitest";
import { mapLink } from "./map_link.ts";

const place = { type: "Point" as const, coordinates: [7.4272, 43.7366] as [number, number] };
const phone = { platform: "Linux armv8l", touch: true };

describe("map link", () => {
  it("gives any map app latitude first and the name encoded", () => {
    expect(mapLink(place, "滨江大道 188 号", phone)).toBe(
      "geo:43.736600,7.427200?q=43.736600,7.427200(%E6%BB%A8%E6%B1%9F%E5%A4%A7%E9%81%93%20188%20%E5%8F%B7)",
    );
    expect(mapLink(place, null, phone)).toBe("geo:43.736600,7.427200?q=43.736600,7.427200");
  });

  it("uses the own map on Apple's devices and a web page at a desk", () => {
    expect(mapLink(place, "x", { platform: "iPhone", touch: true })).toBe(
      "https://maps.apple.com/?daddr=43.736600,7.427200&dirflg=w",
    );
    expect(mapLink(place, "x", { platform: "Linux x86_64", touch: false })).toBe(
      "https://www.openstreetmap.org/directions?to=43.736600%2C7.427200",
    );
  });
});
