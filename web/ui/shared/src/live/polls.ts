import { Problem, post, put } from "../api.ts";
import type { Frame, Sent } from "./frames.ts";
import type { Cursors } from "./marks.ts";

interface Answer {
  frames: Frame[];
  server_time: string;
}

/** What becomes of requests; `code` is the close code that means the same as a refusal. */
export interface PollEnds {
  onAnswer(answer: Answer): void;
  onAcked(answer: Answer): void;
  onFailed(code: number | null): void;
}

const CODES: Readonly<Record<number, number>> = { 401: 4001, 403: 4003 };

/** The live log over plain requests, for networks that let no WebSocket through. */
export class Polls {
  private asking: AbortController | null = null;

  constructor(private readonly ends: PollEnds) {}

  /** Ask what is new, in place of what is asked now. */
  ask(topics: Cursors, waitS: number): void {
    this.stop();
    const mine = new AbortController();
    this.asking = mine;
    const options = { retries: 0, signal: mine.signal };
    post<Answer>("/live/poll", { topics, wait_s: waitS }, options).then(
      (answer) => {
        if (this.asking === mine) this.ends.onAnswer(answer);
      },
      (error: unknown) => {
        if (this.asking === mine) this.ends.onFailed(codeOf(error));
      },
    );
  }

  /** Tell how far an alert has come; the machine says it again while nothing confirms. */
  acknowledge({ alert, level }: Extract<Sent, { type: "ack" }>): void {
    post<Answer>("/live/acks", { acks: [{ alert, level }] }, { retries: 0 }).then(
      (answer) => this.ends.onAcked(answer),
      () => undefined,
    );
  }

  /** Tell where the device is. */
  locate({ type: _type, ...where }: Record<string, unknown>): void {
    put("/me/position", where).catch(() => undefined);
  }

  stop(): void {
    this.asking?.abort();
    this.asking = null;
  }
}

const codeOf = (error: unknown): number | null =>
  error instanceof Problem ? (CODES[error.status] ?? null) : null;
