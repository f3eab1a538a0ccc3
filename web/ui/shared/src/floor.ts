import type { Words } from "./words/zh.ts";

/** A bare number, as the map data has it, gets its word; any other text stays as it was written. */
export function floorText(floor: string | null | undefined, words: Words): string | null {
  if (!floor) return null;
  return /^-?\d+$/.test(floor) ? words.go.floor(floor) : floor;
}
