import type { Map as MapLibreMap } from "maplibre-gl";
import type { AedState } from "./aed_state.ts";
import { GRID } from "./ground.ts";
import type { SymbolPalette } from "./palette.ts";
import { aedShapes, svgText } from "./symbols.ts";

const STATES: AedState[] = ["usable", "soon", "closed", "unknown", "out"];
const RATIO = 2;

/** Give the map its pictures: every state of an AED, plain (22 px) and in the plan (26 px with a ring). */
export async function addMapImages(map: MapLibreMap, palette: SymbolPalette, grid: string): Promise<void> {
  const colours = { green: "#00734A", raised: palette.raised, bad: palette.bad, ring: palette.aed };
  const plain = STATES.map(async (state) => {
    const picture = await draw(svgText(aedShapes(state, colours), "2 2 28 28", 26 * RATIO), 26);
    add(map, `aed-${state}`, picture);
  });
  const planned = STATES.map(async (state) => {
    const picture = await draw(svgText(aedShapes(state, colours, true), "-3 -3 38 38", 41 * RATIO), 41);
    add(map, `aed-${state}-plan`, picture);
  });
  await Promise.all([...plain, ...planned]);
  add(map, "clear", new ImageData(28 * RATIO, 28 * RATIO));
  const lines = `<path d="M64 0v64H0" fill="none" stroke="${grid}" stroke-width="1"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="128" height="128">${lines}</svg>`;
  add(map, GRID, await draw(svg, 64));
}

function add(map: MapLibreMap, id: string, picture: ImageData): void {
  // The map may be gone, or have another style, by the time the picture is decoded.
  if (map.hasImage(id)) map.updateImage(id, picture);
  else map.addImage(id, picture, { pixelRatio: RATIO });
}

async function draw(svg: string, size: number): Promise<ImageData> {
  const image = new Image(size * RATIO, size * RATIO);
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = size * RATIO;
  canvas.height = size * RATIO;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no 2d canvas");
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
