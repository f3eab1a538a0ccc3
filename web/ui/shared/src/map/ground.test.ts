import { describe, expect, it, vi } from "vitest";
import { type Ground, OWN_GROUND, readGround } from "./city.ts";
import { groundLabels, groundLayers, groundSources } from "./ground.ts";
import { mapPalette } from "./palette.ts";

vi.stubGlobal("location", { origin: "https://example.org" });
const palette = mapPalette("light");
const licensed: Ground = {
  ...OWN_GROUND,
  kind: "licensed",
  tiles: ["https://t.example.cn/vec/{z}/{x}/{y}", "https://t.example.cn/cva/{z}/{x}/{y}"],
};
const none: Ground = { ...OWN_GROUND, kind: "none", tiles: licensed.tiles };

describe("the ground of a public map", () => {
  it("asks for none of our tiles where they may not be shown", () => {
    for (const ground of [licensed, none]) {
      const asked = JSON.stringify([groundSources(ground), groundLayers(ground, palette)]);
      expect(asked).not.toContain("/tiles/base");
      expect(groundLabels(ground, palette, "zh")).toEqual([]);
    }
  });

  it("draws the licensed layers in their order, and nothing where there is no licence", () => {
    const drawn = groundLayers(licensed, palette).filter(({ type }) => type === "raster");
    const asked = drawn.map((layer) =>
      JSON.stringify(groundSources(licensed)[String(Reflect.get(layer, "source"))]),
    );
    expect(asked.map((text) => text.includes("/cva/"))).toEqual([false, true]);
    expect(groundSources(none)).toEqual({});
  });

  it("keeps every layer's source", () => {
    for (const ground of [OWN_GROUND, licensed, none]) {
      const sources = Object.keys(groundSources(ground));
      for (const layer of [...groundLayers(ground, palette), ...groundLabels(ground, palette, "en")]) {
        if ("source" in layer) expect(sources).toContain(layer.source);
      }
    }
  });

  it("believes a server that says nothing of it to have the old rule, and an unknown word to mean none", () => {
    expect(readGround({})).toEqual(OWN_GROUND);
    expect(readGround({ public_ground: "whatever" }).kind).toBe("none");
    const said = { public_ground: "licensed", map_review_number: "GS(2000)1号", needs_review_number: false };
    expect(readGround(said)).toMatchObject({ kind: "licensed", reviewNumber: "GS(2000)1号" });
  });
});
