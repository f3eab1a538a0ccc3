/** PURE. Where a client stands in each topic's log, and what a message means from there. */

/** The last event applied: its number (a decimal string) and the epoch in which the number counts. */
export interface Mark {
  epoch: string;
  seq: string;
}

/** Null: nothing yet, so the server sends a snapshot. */
export type Marks = Readonly<Record<string, Mark | null>>;

export interface Numbered {
  topic: string;
  epoch: string;
  seq: string;
}

export interface Verdict {
  /** apply: next in line; ignore: seen already or not ours; gap: something is missing, say hello again. */
  do: "apply" | "ignore" | "gap";
  marks: Marks;
}

/** What to ask for when saying hello about these topics. */
export function helloTopics(marks: Marks, topics: readonly string[]): Record<string, Mark | null> {
  return Object.fromEntries(topics.map((topic) => [topic, marks[topic] ?? null]));
}

/** Keep the marks of the topics still wanted. */
export function keepTopics(marks: Marks, topics: readonly string[]): Marks {
  return helloTopics(marks, topics);
}

/** A snapshot replaces all that was known of its topic. */
export function onSnapshot(marks: Marks, message: Numbered): Verdict {
  if (!(message.topic in marks)) return { do: "ignore", marks };
  return { do: "apply", marks: { ...marks, [message.topic]: markOf(message) } };
}

export function onEvent(marks: Marks, message: Numbered): Verdict {
  if (!(message.topic in marks)) return { do: "ignore", marks };
  const mark = marks[message.topic];
  if (!mark || mark.epoch !== message.epoch) {
    // Another epoch is another past: only a snapshot can lead from one to the other.
    return { do: "gap", marks: { ...marks, [message.topic]: null } };
  }
  const step = BigInt(message.seq) - BigInt(mark.seq);
  if (step <= 0n) return { do: "ignore", marks };
  if (step > 1n) return { do: "gap", marks };
  return { do: "apply", marks: { ...marks, [message.topic]: markOf(message) } };
}

/** True when the server has sent more in some topic than has arrived here. */
export function isBehind(marks: Marks, heartbeat: Readonly<Record<string, string>>): boolean {
  return Object.entries(heartbeat).some(([topic, seq]) => {
    const mark = marks[topic];
    return mark ? BigInt(seq) > BigInt(mark.seq) : false;
  });
}

const markOf = ({ epoch, seq }: Numbered): Mark => ({ epoch, seq });

const BACK_OFF_S = [1, 2, 4, 8, 15];

/** Milliseconds until try number `attempt` (0 is the first after a loss), spread by `random` in 0..1. */
export function backOffMs(attempt: number, random: number): number {
  const seconds = BACK_OFF_S[Math.min(attempt, BACK_OFF_S.length - 1)] ?? 15;
  return Math.round(seconds * 1000 * (0.75 + random * 0.5));
}

/** Close codes after which the same attempt cannot succeed. */
export const isFinalClose = (code: number): boolean => code === 4001 || code === 4003;
