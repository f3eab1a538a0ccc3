/** PURE. What a task says of itself: about what, how long there is, which facts. */

import type { Task } from "@shared/shapes.ts";
import { type Words, wordFor } from "@shared/words/zh.ts";

/** The kinds among some tasks, each once. */
export const taskKinds = (tasks: readonly Task[]): string[] => [...new Set(tasks.map(({ kind }) => kind))];

const NAMING = ["name", "aed_name", "channel", "number", "address"];

/** Texts, and the texts inside of lists and objects; numbers only by themselves. */
function plain(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return value.map(plain).filter(Boolean).join(" · ");
  if (value === null || typeof value !== "object") return "";
  return Object.values(value)
    .filter((inner) => typeof inner === "string")
    .join(" ");
}

/** What the task is about, in a few words. */
export const subjectOf = ({ body }: Task, words: Words): string =>
  NAMING.map((name) => said(name, plain(body[name]), words))
    .filter(Boolean)
    .slice(0, 2)
    .join(" · ");

/** How long there is until it is due, or since when it is late. */
export function timeLeft(task: Task, words: Words, now: number): { text: string; isLate: boolean } {
  const own = words.office.task;
  const minutes = Math.round((Date.parse(task.due_at) - now) / 60_000);
  if (minutes < 0) return { text: own.overdue(own.minutes(-minutes)), isLate: true };
  return { text: own.left(own.minutes(minutes)), isLate: false };
}

/** A code in words; what people wrote stays as it is. */
function said(name: string, text: string, words: Words): string {
  const known: Record<string, Readonly<Record<string, string>>> = {
    what: words.incident.line.aedWhat,
    kind: words.domain.kind,
    channel: words.decision.channel,
    channels: words.decision.channel,
    answer: words.care.survey.answers,
  };
  const codes = known[name];
  if (!codes) return text;
  return text
    .split(" · ")
    .map((code) => wordFor(codes, code))
    .join(words.parts.listComma);
}

/** The facts of a task as rows: ids and what nobody reads are left out. */
export function factsOf({ body }: Task, words: Words): [string, string][] {
  const isId = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;
  return Object.entries(body).flatMap(([name, value]): [string, string][] => {
    const text = plain(value);
    if (text === "" || isId.test(text) || !(name in words.office.task.body)) return [];
    return [[wordFor(words.office.task.body, name), said(name, text, words)]];
  });
}
