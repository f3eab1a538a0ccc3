/** PURE. What a line in the command bar asks for: codes first, free text last. */

import type { Ambulance, Kind } from "@shared/shapes.ts";
import { matchKinds } from "./kind_match.ts";

export type Command =
  | { do: "new"; kind: string; where: string }
  | { do: "ambulance"; number: string | null; state: Ambulance; etaS: number | null }
  | { do: "line"; number: string | null; text: string }
  | { do: "plan"; number: string | null }
  | { do: "find"; text: string }
  | { do: "unknown" };

const AMBULANCE: [RegExp, Ambulance][] = [
  [/^(未确认|不明|unknown|wqr)$/i, "unknown"],
  [/^(已?通知|notified|yt?z|told)$/i, "notified"],
  [/^(已?派车|派|dispatched|y?pc|sent)$/i, "dispatched"],
  [/^(已?到场|到|on.?scene|y?dc|there)$/i, "on_scene"],
];

/** Read one line; a leading slash, full or half width, may be there or not. */
export function parseCommand(line: string, kindNames: Record<Kind, string>): Command {
  const words = line
    .normalize("NFKC")
    .replace(/^[/、]/, "")
    .trim()
    .split(/\s+/)
    .filter(Boolean);
  const [verb = "", ...rest] = words;
  switch (verb.toLowerCase()) {
    case "":
      return { do: "unknown" };
    case "x":
    case "n":
      return newIncident(rest, kindNames);
    case "120":
      return ambulance(rest);
    case "c":
    case "l": {
      const [number, text] = leadingNumber(rest);
      return text.length ? { do: "line", number, text: text.join(" ") } : { do: "unknown" };
    }
    case "p":
    case "d":
      return { do: "plan", number: leadingNumber(rest)[0] };
    default:
      return { do: "find", text: words.join(" ") };
  }
}

function newIncident(words: string[], kindNames: Record<Kind, string>): Command {
  const [first = "", ...rest] = words;
  const isKind = first !== "" && matchKinds(first, kindNames).length > 0;
  return { do: "new", kind: isKind ? first : "", where: (isKind ? rest : words).join(" ") };
}

function ambulance(words: string[]): Command {
  const [number, rest] = leadingNumber(words, 2);
  const [state = "", minutes] = rest;
  const found = AMBULANCE.find(([pattern]) => pattern.test(state));
  if (!found) return { do: "unknown" };
  const eta = /^(\d{1,3})/.exec(minutes ?? "")?.[1];
  return { do: "ambulance", number, state: found[1], etaS: eta ? Number(eta) * 60 : null };
}

/** A number stands for an incident when enough words follow it. */
function leadingNumber(words: string[], need = 1): [string | null, string[]] {
  const [first = "", ...rest] = words;
  if (/^[\d-]+$/.test(first) && (rest.length > 0 || need === 1)) return [first, rest];
  return [null, words];
}
