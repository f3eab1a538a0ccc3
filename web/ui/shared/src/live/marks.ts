/** PURE. Where a client stands in each topic's log, and what a frame means from there.
 *
 * The twin of web/drill/live_marks.py.
 */

/** The last event applied: its number (a decimal string) and the epoch in which the number counts. */
export interface Mark {
  epoch: string;
  seq: string;
}

/** Null: nothing yet, so the server sends a snapshot. */
export type Cursors = Record<string, Mark | null>;

export interface Numbered {
  topic: string;
  epoch: string;
  seq: string;
  redelivered?: boolean;
}

/** apply: next in line; had: applied before; ignore: not wanted, or from before its snapshot; gap: something is missing. */
export type Verdict = "apply" | "had" | "ignore" | "gap";

/** The cursors of the wanted topics, and how often each was found to lack something. */
export class Marks {
  cursors: Cursors;
  /** Hellos that no welcome has answered yet. */
  unanswered = 0;
  private readonly lacks = new Map<string, number>();

  constructor(cursors: Cursors) {
    this.cursors = { ...cursors };
  }

  /** How often a topic was found to lack something since its last event, at the most. */
  get strikes(): number {
    return Math.max(0, ...this.lacks.values());
  }

  /** Want these topics from now on; say whether others were wanted before. */
  keep(topics: readonly string[]): boolean {
    if (topics.join() === Object.keys(this.cursors).join()) return false;
    this.cursors = Object.fromEntries(topics.map((topic) => [topic, this.cursors[topic] ?? null]));
    return true;
  }

  /** Want a topic no more. */
  forget(topic: string | undefined): void {
    if (topic === undefined) return;
    delete this.cursors[topic];
    this.lacks.delete(topic);
  }

  /** Stand where a snapshot was taken; say whether its topic is wanted. */
  set({ topic, epoch, seq }: Numbered): boolean {
    if (!(topic in this.cursors)) return false;
    this.cursors[topic] = { epoch, seq };
    return true;
  }

  /** Say what an event means, and go on to it if it is the next one. */
  judge({ topic, epoch, seq }: Numbered): Verdict {
    if (!(topic in this.cursors)) return "ignore";
    const cursor = this.cursors[topic];
    if (!cursor) return this.unanswered ? "ignore" : this.lack(topic);
    if (epoch !== cursor.epoch) {
      // Another epoch is another past: only a snapshot leads from one to the other.
      this.cursors[topic] = null;
      return this.lack(topic);
    }
    const step = BigInt(seq) - BigInt(cursor.seq);
    if (step <= 0n) return "had";
    if (step > 1n) return this.lack(topic);
    this.cursors[topic] = { epoch, seq };
    this.lacks.delete(topic);
    return "apply";
  }

  /** Say whether the server has sent more of some topic than has arrived. */
  isBehind(seqs: Readonly<Record<string, string>>): boolean {
    for (const [topic, seq] of Object.entries(seqs)) {
      if (!(topic in this.cursors)) continue;
      const cursor = this.cursors[topic];
      if (cursor ? BigInt(seq) > BigInt(cursor.seq) : !this.unanswered) {
        this.lack(topic);
        return true;
      }
    }
    return false;
  }

  /** Note a gap; after the second one at the same place a snapshot is wanted. */
  private lack(topic: string): Verdict {
    const count = (this.lacks.get(topic) ?? 0) + 1;
    this.lacks.set(topic, count);
    if (count > 1) this.cursors[topic] = null;
    return "gap";
  }
}
