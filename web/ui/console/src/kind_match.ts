/** PURE. Finding a kind of incident by digit, pinyin initials, full pinyin or words. */

import type { Kind, Severity } from "@shared/shapes.ts";

export interface KindEntry {
  kind: Kind;
  /** How operators abbreviate it: pinyin initials of the usual names, pinyin, English. */
  keys: readonly string[];
  severity: Severity;
}

/** In the order of their digits; severity is the usual one and can be changed. */
export const KINDS: readonly KindEntry[] = [
  {
    kind: "cardiac_arrest",
    keys: ["xt", "xzzt", "yx", "xinting", "xinzangzhouting", "ca", "cardiac arrest", "arrest"],
    severity: 1,
  },
  {
    kind: "trauma",
    keys: ["cs", "yzcs", "ws", "chuangshang", "waishang", "tr", "trauma", "injury"],
    severity: 2,
  },
  { kind: "choking", keys: ["gz", "qd", "ygz", "gengzu", "qidao", "ch", "choking"], severity: 1 },
  { kind: "drowning", keys: ["ns", "nishui", "dr", "drowning"], severity: 1 },
  { kind: "stroke", keys: ["cz", "zf", "cuzhong", "zhongfeng", "st", "stroke"], severity: 2 },
  { kind: "fire", keys: ["hz", "huozai", "huo", "fi", "fire"], severity: 2 },
  { kind: "flood", keys: ["sz", "hs", "shuizai", "hongshui", "fl", "flood"], severity: 2 },
  { kind: "relief", keys: ["wz", "jz", "zj", "wuzi", "jiuzai", "re", "relief", "supplies"], severity: 3 },
  { kind: "other", keys: ["qt", "qita", "ot", "other"], severity: 3 },
];

const SHORT_ZH: Record<Kind, string> = {
  cardiac_arrest: "心停心脏骤停",
  trauma: "创伤外伤",
  choking: "梗阻气道异物噎",
  drowning: "溺水",
  stroke: "卒中中风",
  fire: "火灾着火",
  flood: "水灾洪水",
  relief: "物资救灾赈济",
  other: "其他",
};

/** The kinds that fit what was typed, best first; everything for nothing. */
export function matchKinds(typed: string, names: Record<Kind, string>): KindEntry[] {
  const text = typed.normalize("NFKC").trim().toLowerCase();
  if (!text) return [...KINDS];
  const digit = KINDS[Number(text) - 1];
  if (digit && /^[1-9]$/.test(text)) return [digit];
  return KINDS.map((entry) => ({ entry, score: score(entry, text, names[entry.kind]) }))
    .filter(({ score: points }) => points > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ entry }) => entry);
}

function score({ kind, keys }: KindEntry, text: string, name: string): number {
  if (keys.includes(text)) return 4;
  if (keys.some((key) => key.startsWith(text))) return 3;
  const shown = name.toLowerCase();
  if (shown.startsWith(text)) return 3;
  return shown.includes(text) || SHORT_ZH[kind].includes(text) ? 2 : 0;
}
