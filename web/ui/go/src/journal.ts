// What this phone has shown, so that a redelivered alert is neither counted nor rung as a new one.
// No address and no position is kept here.

import type { Shelf } from "./outbox.ts";

export type Answer = "accepted" | "declined" | "timed_out" | "stood_down" | "cleared" | "unable";

export interface Shown {
  alert: string;
  revision: number;
  kind: string;
  exercise: boolean;
  shownAt: string;
  answer?: Answer;
}

const NAME = "golden.go.journal";
/** A volunteer sees a few alerts a year; two hundred lines are years. */
const KEPT = 200;

const read = (shelf: Shelf): Shown[] => {
  try {
    const found: unknown = JSON.parse(shelf.getItem(NAME) ?? "[]");
    return Array.isArray(found) ? (found as Shown[]) : [];
  } catch {
    return [];
  }
};

export class Journal {
  constructor(private readonly shelf: Shelf) {}

  lines(): Shown[] {
    return read(this.shelf);
  }

  /** Record a showing; true only the first time for this alert and revision. */
  show(line: Shown): boolean {
    const lines = this.lines();
    if (lines.some((old) => old.alert === line.alert && old.revision === line.revision)) return false;
    this.write([...lines, line]);
    return true;
  }

  /** How an alert ended, on its latest line. */
  answer(alert: string, answer: Answer): void {
    const lines = this.lines();
    const last = lines.findLastIndex((line) => line.alert === alert);
    if (last >= 0) this.write(lines.map((line, i) => (i === last ? { ...line, answer } : line)));
  }

  /** One line per alert, newest first, for the record page. */
  alerts(): Shown[] {
    const latest = new Map(this.lines().map((line) => [line.alert, line]));
    return [...latest.values()].reverse();
  }

  private write(lines: Shown[]): void {
    this.shelf.setItem(NAME, JSON.stringify(lines.slice(-KEPT)));
  }
}
