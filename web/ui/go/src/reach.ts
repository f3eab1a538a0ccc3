// By which ways a call reaches this person, and when each was last proved to work.

import { get } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import type { Reach } from "@shared/shapes.ts";
import { createStore, useStore } from "@shared/store.ts";
import type { Words } from "@shared/words/zh.ts";
import { dayTime } from "./day_time.ts";

/** As the server knows it; empty before it was asked. */
const reach = createStore<Reach[]>([]);

/** Ask again; without network what was known stays. */
export async function learnReach(): Promise<void> {
  const answer = await get<{ items: Reach[] }>("/me/channels").catch(() => null);
  if (answer) reach.set(answer.items);
}

export interface Said {
  channel: string;
  text: string;
  bad: boolean;
  /** Only the number of this person is missing. */
  wantsNumber: boolean;
}

const MESSENGERS = new Set(["wecom", "dingtalk", "feishu"]);

/** PURE. The ways worth a row: a messenger that nobody set up here is none. */
export const worthRow = ({ channel, state }: Reach): boolean =>
  !(MESSENGERS.has(channel) && (state === "off" || state === "none"));

/** One way in words; `bad` where the person can do something about it. */
export function reachText({ channel, state, heard_at }: Reach, words: Words): Said {
  const said = words.care.channel;
  const nobody = { sms: said.noPhone, voice: said.noPhone, web_push: said.none }[channel] ?? said.noAccount;
  const proved = heard_at
    ? (channel === "voice" ? said.called : said.heard)(dayTime(heard_at, words))
    : said.ready;
  const texts = { ready: proved, off: said.off, none: nobody, dead: said.dead, silent: said.silent };
  const wantsNumber = state === "none" && (channel === "sms" || channel === "voice");
  return { channel, text: texts[state], bad: state !== "ready" && state !== "off", wantsNumber };
}

export function useReach(): Said[] {
  const words = useWords();
  return useStore(reach)
    .filter(worthRow)
    .map((one) => reachText(one, words));
}
