import { aed } from "./en/aed.ts";
import { console_ } from "./en/console.ts";
import { domain } from "./en/domain.ts";
import { form } from "./en/form.ts";
import { go } from "./en/go.ts";
import { incident } from "./en/incident.ts";
import { parts } from "./en/parts.ts";
import { planner } from "./en/planner.ts";
import { registry } from "./en/registry.ts";
import { signIn } from "./en/sign_in.ts";
import type { Words } from "./zh.ts";

export const en: Words = {
  aed,
  console: console_,
  domain,
  form,
  go,
  incident,
  parts,
  planner,
  registry,
  signIn,
};
