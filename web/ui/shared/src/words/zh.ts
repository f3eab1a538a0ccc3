/** Every visible word in Chinese, by screen; `en.ts` has the same keys or does not compile. */

import { aed } from "./zh/aed.ts";
import { care } from "./zh/care.ts";
import { console_ } from "./zh/console.ts";
import { decision } from "./zh/decision.ts";
import { domain } from "./zh/domain.ts";
import { form } from "./zh/form.ts";
import { go } from "./zh/go.ts";
import { incident } from "./zh/incident.ts";
import { incidentLife } from "./zh/incident_life.ts";
import { office } from "./zh/office.ts";
import { parts } from "./zh/parts.ts";
import { planner } from "./zh/planner.ts";
import { registry } from "./zh/registry.ts";
import { signIn } from "./zh/sign_in.ts";
import { trouble } from "./zh/trouble.ts";

export const zh = {
  aed,
  care,
  console: console_,
  decision,
  domain,
  form,
  go,
  incident,
  incidentLife,
  office,
  parts,
  planner,
  registry,
  signIn,
  trouble,
};

export type Words = typeof zh;

/** The word for a code the server may send, or the code itself when it is newer than this page. */
export function wordFor(words: Readonly<Record<string, unknown>>, code: string | null | undefined): string {
  if (!code) return "";
  const word = words[code];
  return typeof word === "string" ? word : code;
}
