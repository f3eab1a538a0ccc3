import type { Incident, Org } from "@shared/shapes.ts";
import { type Words, wordFor } from "@shared/words/zh.ts";

/** A person's or thing's name in the reader's script. */
export const nameIn = (thing: { name: string; name_en?: string | null }, latin: boolean): string =>
  (latin && thing.name_en) || thing.name;

export const orgName = (org: Org, latin: boolean): string =>
  latin ? org.name_en || org.name_zh : org.name_zh;

/** Surname in Chinese, family name otherwise: for the tight labels of the axis and the map. */
export const shortName = (name: string): string =>
  /\p{Script=Han}/u.test(name.charAt(0)) ? name.charAt(0) : (name.trim().split(/\s+/).at(-1) ?? name);

/** Where it is, in words; coordinates when nobody gave an address. */
export function placeText(incident: Pick<Incident, "address" | "position">): string {
  if (incident.address) return incident.address;
  const [lon, lat] = incident.position.coordinates;
  return `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
}

/** True when the house number that was typed is not on record and the place is only its street. */
export function lacksNumber(typed: string, found: string): boolean {
  const numbers = typed.normalize("NFKC").match(/\d+/g) ?? [];
  return numbers.some((number) => !found.includes(number));
}

/** The middle of a number is hidden on the screen; it stands whole in the link. */
export function maskedPhone(phone: string): string {
  return phone.length < 8 ? phone : `${phone.slice(0, 3)}****${phone.slice(-4)}`;
}

export const skillText = (skills: readonly string[], words: Words): string =>
  skills[0] ? wordFor(words.domain.skill, skills[0]) : "";
