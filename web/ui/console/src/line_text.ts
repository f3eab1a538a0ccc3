/** PURE. What a line of the timeline says, from its kind and arguments. */

import type { IconName } from "@shared/parts/icon.tsx";
import type { Line } from "@shared/shapes.ts";
import { type Words, wordFor } from "@shared/words/zh.ts";
import { policyName } from "./policy_name.ts";

export interface LineText {
  actor: string;
  text: string;
  icon: IconName;
}

// Lines that only say how a message fared; hidden until asked for.
const SYSTEM = new Set([
  "alert_delivered",
  "alert_seen",
  "alert_unacknowledged",
  "stand_down_seen",
  "timer_failed",
]);

export const isSystemLine = (line: Line): boolean => SYSTEM.has(line.kind);

const ICONS: Record<Line["channel"], IconName> = {
  console: "screen",
  phone: "mobile",
  system: "bell",
  ambulance: "phone",
};

type Args = Record<string, unknown>;
const textOf = (args: Args, ...names: string[]): string => {
  for (const name of names) {
    const value = args[name];
    if (typeof value === "string" && value !== "") return value;
    if (typeof value === "number") return String(value);
  }
  return "";
};

type NameOf = (id: string, known: string) => string;

/** Say a line in the reader's language; `nameOf` knows people by id, better than the line does. */
export function lineText(line: Line, words: Words, nameOf: NameOf): LineText {
  const said = SAY[line.kind]?.(line, words) ?? plain(line, words, nameOf);
  const actor = line.kind === "ambulance" ? "120" : whose(line, words.parts.listComma, nameOf);
  return { actor, text: joined(said, reasonOf(line, words)), icon: ICONS[line.channel] };
}

// Lines about an operator's action, even where they name the people it was about.
const OF_OPERATOR = new Set(["stood_down", "closed", "note", "opened", "changed", "reopened"]);
const OF_NOBODY = new Set(["wave_sent", "no_one_left"]);
const NAMES_SHOWN = 3;

const joined = (...parts: (string | null | undefined)[]): string => parts.filter(Boolean).join(" · ");

const peopleOf = ({ args }: Line): { id: string; name: string }[] =>
  Array.isArray(args.responders) ? (args.responders as { id: string; name: string }[]) : [];

function whose(line: Line, comma: string, nameOf: NameOf): string {
  if (OF_NOBODY.has(line.kind)) return "";
  const people = OF_OPERATOR.has(line.kind) ? [] : peopleOf(line);
  if (people.length > 0) {
    const names = people.slice(0, NAMES_SHOWN).map(({ id, name }) => nameOf(id, name));
    return names.join(comma) + (people.length > NAMES_SHOWN ? ` +${people.length - NAMES_SHOWN}` : "");
  }
  const responder = textOf(line.args, "responder");
  if (responder) return nameOf(responder, textOf(line.args, "name"));
  return line.actor ? nameOf(line.actor.id, line.actor.name) : "";
}

/** What was written, or the reason a responder chose from the list. */
const reasonOf = ({ text }: Line, words: Words): string => wordFor(words.domain.declineReason, text);

function plain(line: Line, words: Words, nameOf: NameOf): string {
  const [item, quantity] = [textOf(line.args, "item"), textOf(line.args, "quantity")];
  const goods = item ? `${nameOf(item, item)} ${quantity}`.trim() : "";
  return joined(wordFor(words.incident.line, line.kind), goods);
}

const SAY: Record<string, (line: Line, words: Words) => string> = {
  note: () => "",
  opened: ({ args }, { incident, domain }) =>
    joined(incident.line.opened, wordFor(domain.kind, textOf(args, "kind"))),
  wave_sent: ({ args }, words) => {
    const { incident } = words;
    const policy = policyName(textOf(args, "policy"), words);
    const sent = incident.line.wave_sent(Number(args.asked ?? 0), Number(args.wave ?? 1));
    return joined(sent, policy ? incident.line.policy(policy) : "");
  },
  policy_changed: ({ args }, words) =>
    joined(words.incident.line.policy_changed, policyName(textOf(args, "policy"), words)),
  ambulance: (line, { incident, domain }) => {
    const { args, actor, at } = line;
    const eta = textOf(args, "eta_at");
    const minutes = eta ? Math.round((Date.parse(eta) - Date.parse(at)) / 60_000) : 0;
    return joined(
      incident.line.ambulance(wordFor(domain.ambulance, textOf(args, "ambulance"))),
      minutes > 0 ? incident.line.ambulanceEta(minutes) : "",
      actor ? incident.line.recordedBy(actor.name) : "",
    );
  },
  stood_down: (line, { incident }) => {
    const count = peopleOf(line).length;
    return joined(incident.line.stood_down, count ? incident.line.people(count) : "");
  },
  closed: ({ args }, { incident, domain }) =>
    joined(incident.line.closed, wordFor(domain.disposition, textOf(args, "disposition"))),
  alert_accepted: ({ args }, { incident, domain }) =>
    joined(incident.line.alert_accepted, wordFor(domain.role, textOf(args, "role"))),
  value_told: (line, words) => valueLine(line, words),
  value_chosen: (line, words) => valueLine(line, words),
  merged: ({ args }, { incident }) => incident.line.mergedWith(textOf(args, "number"), args.is_kept === true),
  unmerged: ({ args }, { incident }) => incident.line.unmergedFrom(textOf(args, "number")),
  disaster: ({ args }, { incident, incidentLife }) => {
    const name = textOf(args, "disaster");
    return name ? joined(incident.line.disaster, name) : incidentLife.disaster.takenOut;
  },
  aed_reported: ({ args }, { incident }) =>
    joined(
      incident.line.aed_reported,
      textOf(args, "aed_name"),
      wordFor(incident.line.aedWhat, textOf(args, "what")),
    ),
  aed_replaced: ({ args }, { incident, domain, parts }) => {
    const ways = Array.isArray(args.ways) ? (args.ways as { role: string; aed_name: string | null }[]) : [];
    const told = ways.map(({ role, aed_name }) =>
      aed_name ? incident.line.aedNow(aed_name) : incident.line.wayNow(wordFor(domain.role, role)),
    );
    return told.length ? [...new Set(told)].join(parts.listComma) : incident.line.aed_replaced;
  },
  attached: ({ args }, { incident }) => joined(incident.line.attached, textOf(args, "name")),
  changed: ({ args }, { incident, parts }) => {
    const fields = Array.isArray(args.fields) ? (args.fields as string[]) : [];
    return joined(
      incident.line.changed,
      fields.map((field) => wordFor(incident.fields, field)).join(parts.listComma),
    );
  },
};

/** Which field a source told, or an operator believed; the value stands in the drawer, phone numbers nowhere. */
function valueLine({ kind, args }: Line, words: Words): string {
  const own = words.incidentLife.value;
  const value = textOf(args, "value");
  return joined(
    wordFor(words.incident.line, kind),
    wordFor(own.fields, textOf(args, "field")),
    value,
    wordFor(own.sources, textOf(args, "source")),
  );
}
