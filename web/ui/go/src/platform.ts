export type Platform = "ios" | "harmony" | "android" | "other";

/** PURE. Whose settings somebody has to open, by what the browser says of itself. */
export function platformOf(agent: string, touchPoints: number): Platform {
  if (/iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && touchPoints > 1)) return "ios";
  if (/HarmonyOS|OpenHarmony|ArkWeb/i.test(agent)) return "harmony";
  return /Android/.test(agent) ? "android" : "other";
}
