/** For tests: a server of one topic's log that speaks the protocol by socket and by polls, and cuts both. */

import type { Frame } from "./frames.ts";
import type { Cursors } from "./marks.ts";

export const TOPIC = "org:a";
const EPOCH = "e1";

/** Seeded chance (mulberry32), so that a failing run can be played again. */
export function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const now = () => new Date().toISOString();

/** The log, and everybody who waits for it. */
export class FakeServer {
  last = 0;
  sockets = new Set<FakeSocket>();
  polls = 0;
  letsSocketsThrough = true;
  losesAnswers = true;
  readonly acked: string[] = [];
  private readonly waiting = new Set<() => void>();

  constructor(readonly chance: () => number) {}

  append(): void {
    this.last += 1;
    for (const socket of this.sockets) socket.offer(this.last);
    for (const wake of [...this.waiting]) wake();
  }

  /** Cut some of what is open, without a word. */
  cut(): void {
    for (const socket of [...this.sockets]) socket.end(1006);
  }

  frames(topics: Cursors): Frame[] {
    const cursor = topics[TOPIC] ?? null;
    const welcome: Frame = { type: "welcome", server_time: now(), heartbeat_s: 5 };
    if (!cursor || cursor.epoch !== EPOCH) {
      const seq = String(this.last);
      return [welcome, { type: "snapshot", topic: TOPIC, epoch: EPOCH, seq, body: this.last }];
    }
    const missed: Frame[] = [];
    for (let seq = Number(cursor.seq) + 1; seq <= this.last; seq += 1) missed.push(event(seq));
    return [welcome, ...missed];
  }

  /** What `fetch` does; of the answers a third is lost on the way while the network is bad. */
  async fetch(url: string, request: RequestInit): Promise<Response> {
    const body = JSON.parse(String(request.body)) as {
      topics: Cursors;
      wait_s: number;
      acks: { alert: string }[];
    };
    if (url.includes("/live/acks")) return this.acknowledge(body.acks);
    this.polls += 1;
    let frames = this.frames(body.topics);
    if (frames.length === 1 && body.wait_s > 0) {
      await this.news(body.wait_s * 1000, request.signal ?? null);
      frames = this.frames(body.topics);
    }
    if (this.losesAnswers && this.chance() < 0.3) throw new TypeError("connection lost");
    return answer(frames);
  }

  private acknowledge(acks: { alert: string }[]): Response {
    if (this.chance() < 0.5) throw new TypeError("connection lost");
    for (const { alert } of acks) this.acked.push(alert);
    return answer(acks.map(({ alert }) => ({ type: "ack_ok", alert, level: "received" })));
  }

  private news(ms: number, signal: AbortSignal | null): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => end(resolve), ms);
      const wake = () => end(resolve);
      const end = (then: () => void) => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        then();
      };
      this.waiting.add(wake);
      signal?.addEventListener("abort", () => end(() => reject(new DOMException("", "AbortError"))));
    });
  }
}

const event = (seq: number): Frame => {
  const numbered = { topic: TOPIC, epoch: EPOCH, seq: String(seq) };
  return { type: "event", ...numbered, kind: "x", at: now(), body: seq };
};

const answer = (frames: Frame[]) =>
  new Response(JSON.stringify({ frames, server_time: now() }), {
    headers: { "Content-Type": "application/json" },
  });

/** What `new WebSocket` gives: to the server, or to a proxy that lets none through. */
export class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  static server: FakeServer;
  readyState = 0;
  private isLive = false;
  private beats: ReturnType<typeof setInterval> | undefined;

  constructor(_url: string) {
    super();
    setTimeout(() => (FakeSocket.server.letsSocketsThrough ? this.open() : this.end(1006)), 20);
  }

  send(text: string): void {
    const message = JSON.parse(text) as { type: string; topics: Cursors; alert: string };
    const { server } = FakeSocket;
    if (message.type === "ack") {
      server.acked.push(message.alert);
      this.tell({ type: "ack_ok", alert: message.alert, level: "received" });
      return;
    }
    for (const frame of server.frames(message.topics)) this.tell(frame);
    this.isLive = true;
  }

  offer(seq: number): void {
    if (this.isLive) this.tell(event(seq));
  }

  close(): void {
    this.end(1000);
  }

  end(code: number): void {
    if (this.readyState > FakeSocket.OPEN) return;
    this.readyState = 3;
    clearInterval(this.beats);
    FakeSocket.server.sockets.delete(this);
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }

  private open(): void {
    if (this.readyState > 0) return;
    this.readyState = FakeSocket.OPEN;
    FakeSocket.server.sockets.add(this);
    this.beats = setInterval(() => this.beat(), 5000);
    this.dispatchEvent(new Event("open"));
  }

  private beat(): void {
    const topics = { [TOPIC]: String(FakeSocket.server.last) };
    if (this.isLive) this.tell({ type: "heartbeat", topics, server_time: now(), heartbeat_s: 5 });
  }

  private tell(frame: Frame): void {
    if (this.readyState !== FakeSocket.OPEN) return;
    this.dispatchEvent(Object.assign(new Event("message"), { data: JSON.stringify(frame) }));
  }
}
