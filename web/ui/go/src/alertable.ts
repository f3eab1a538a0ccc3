// PURE. What keeps the owner of this phone from being alerted, and the one tap that mends it.

import type { Duty, Me } from "@shared/shapes.ts";
import { type Words, wordFor } from "@shared/words/zh.ts";

export type Fix = "duty" | "end_rest" | "certificate" | "position" | "notifications" | "quiet" | "call";

export interface Block {
  code: string;
  args: Record<string, unknown>;
  fix: Fix | null;
}

// Our own list, not the server's word: a newer server may know buttons that this page has not.
const FIXES: Readonly<Record<string, Fix>> = {
  off_duty: "duty",
  resting: "end_rest",
  no_certificate: "certificate",
  certificate_expired: "certificate",
  no_position: "position",
  position_stale: "position",
  position_vague: "position",
  quiet_hours: "quiet",
  unreachable: "notifications",
  suspended: "call",
};

/** What the server says, by the code with which sending decides too. */
export function blocksOf(me: Me | null, duty: Duty): Block[] {
  const said = me?.alertable?.reasons ?? (me?.blocked ?? []).map((code) => ({ code, args: {} }));
  const blocks = said
    .filter(({ code }) => code !== "busy" && code !== "already_alerted")
    .filter(({ code }) => code !== "off_duty" || duty !== "available")
    .map(({ code, args }) => ({ code, args: args ?? {}, fix: FIXES[code] ?? null }));
  // Alone it needs no word: the switch above says it, and is the cure.
  return blocks.every(({ code }) => code === "off_duty") ? [] : blocks;
}

/** Whether nothing but quiet hours speaks against it, and some kinds of call come all the same. */
export const isPartly = (blocks: readonly Block[]): boolean =>
  blocks.length > 0 && blocks.every((block) => block.code === "quiet_hours" && kindsOf(block).length > 0);

const kindsOf = ({ args }: Block): string[] => (Array.isArray(args.except) ? args.except.map(String) : []);

interface Say {
  when: (time: string) => string;
  kinds: (codes: string[]) => string;
}

type BlockWords = Words["care"]["blocked"];

const WITH: Record<string, (block: Block, words: BlockWords, say: Say) => string | null> = {
  resting: ({ args }, words, { when }) => (isText(args.until) ? words.restingUntil(when(args.until)) : null),
  alert_budget_used: ({ args }, words, { when }) =>
    isText(args.until) ? words.budgetUntil(when(args.until)) : null,
  certificate_expired: ({ args }, words) =>
    isText(args.expired_on) ? words.expiredOn(args.expired_on) : null,
  quiet_hours: (block, words, { kinds }) => {
    const except = kindsOf(block);
    return except.length > 0 ? words.quietBut(kinds(except)) : null;
  },
};

const isText = (value: unknown): value is string => typeof value === "string";

/** One reason in words; a code newer than this page stays as it is. */
export const blockText = (block: Block, words: BlockWords, say: Say): string =>
  WITH[block.code]?.(block, words, say) ?? wordFor(words, block.code);
