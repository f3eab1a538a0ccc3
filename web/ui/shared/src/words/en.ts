import { aed } from "./en/aed.ts";
import { care } from "./en/care.ts";
import { console_ } from "./en/console.ts";
import { decision } from "./en/decision.ts";
import { domain } from "./en/domain.ts";
import { form } from "./en/form.ts";
import { go } from "./en/go.ts";
import { incident } from "./en/incident.ts";
import { incidentLife } from "./en/incident_life.ts";
import { office } from "./en/office.ts";
import { parts } from "./en/parts.ts";
import { planner } from "./en/planner.ts";
import { registry } from "./en/registry.ts";
import { signIn } from "./en/sign_in.ts";
import { trouble } from "./en/trouble.ts";
import type { Words } from "./zh.ts";

export const en: Words = {
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
