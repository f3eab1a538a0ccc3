/** Every visible word in Chinese, by screen; `en.ts` has the same keys or does not compile. */

import { aed } from "./zh/aed.ts";
import { console_ } from "./zh/console.ts";
import { domain } from "./zh/domain.ts";
import { form } from "./zh/form.ts";
import { go } from "./zh/go.ts";
import { incident } from "./zh/incident.ts";
import { parts } from "./zh/parts.ts";
import { planner } from "./zh/planner.ts";
import { registry } from "./zh/registry.ts";
import { signIn } from "./zh/sign_in.ts";

export const zh = { aed, console: console_, domain, form, go, incident, parts, planner, registry, signIn };

export type Words = typeof zh;

/** The word for a code the server may send, or the code itself when it is newer than this page. */
export function wordFor(words: Readonly<Record<string, unknown>>, code: string | null | undefined): string {
  if (!code) return "";
  const word = words[code];
  return typeof word === "string" ? word : code;
}
