// The first family only carries the weight; MapLibre reads it from the name and draws with the others.
const FONTS = [
  "Inter",
  "Segoe UI",
  "Roboto",
  "PingFang SC",
  "HarmonyOS Sans SC",
  "MiSans",
  "Noto Sans SC",
  "Noto Sans CJK SC",
  "Microsoft YaHei",
];
/** Families for text on the map; drawn by the device, no glyph server. */
export const MAP_FONT = ["GM Regular", ...FONTS];
export const MAP_FONT_BOLD = ["GM Semibold", ...FONTS];
