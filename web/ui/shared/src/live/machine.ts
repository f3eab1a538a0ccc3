/** PURE. The decisions of a client of the live log: no socket, no clock, no chance of its own.
 *
 * Whoever drives it tells what happened and when (milliseconds that only grow) and does what it answers.
 * web/drill/live_machine.py is its twin; tests/golden/live/sessions.json holds both to the same answers.
 */

import type { ForApp, Frame, Level, LiveEvent, Output, Phase, Via } from "./frames.ts";
import { isFinalClose, isOwnClose } from "./frames.ts";
import { type Cursors, Marks } from "./marks.ts";

/** Waits before each further try; each is shortened by chance to half. The last one is repeated. */
const BACK_OFF_S = [1, 2, 4, 8, 15];
const MISSED = 2.5; // heartbeats, of which the server is silent when it is left
/** From the start of a try to the welcome; and what an answer to a poll takes beyond its wait. */
const WELCOME_WITHIN_MS = 10_000;
const ACK_AGAIN_MS = 5_000;
/** So many sockets in a row without a word of the server are taken for a proxy that lets none through. */
const BLIND_MOST = 3;
const TRIAL_FIRST_MS = 2_000;
const TRIAL_EVERY_MS = 60_000;
const POLL_WAIT_S = 25;
const FOR_APP: ReadonlySet<string> = new Set(["snapshot", "positions", "ack_ok", "error"]);
const POLL_WAIT_LEAST_S = 5;

/** One client: what it has of each topic, and how it stays connected. */
export class Machine {
  readonly marks: Marks;
  phase: Phase = "connecting";
  /** The way in use, and whether a socket is tried beside polls. */
  link: Via | null = null;
  isTrying = false;
  private readonly unconfirmed = new Map<string, { alert: string; level: Level }>();
  private isWelcome = false;
  private isOpen = false;
  private attempt = 0;
  private blind = 0;
  private next: Via = "socket";
  private heartbeatMs = 5_000;
  private pollWaitS = POLL_WAIT_S;
  private silentAt: number | null = null;
  private retryAt: number | null = null;
  private trialAt: number | null = null;
  private ackAt: number | null = null;
  private out: Output[] = [];

  /** Take the cursors, what every hello says besides, and chance between 0 and 1. */
  constructor(
    cursors: Cursors,
    private readonly hello: Record<string, unknown>,
    private readonly random: () => number,
  ) {
    this.marks = new Marks(cursors);
  }

  /** When to `tick`, at the latest. */
  get wakeAt(): number | null {
    const times = [this.silentAt, this.retryAt, this.trialAt, this.ackAt].filter((at) => at !== null);
    return times.length ? Math.min(...times) : null;
  }

  /** Connect for the first time, or at once as the network is back. */
  start(now: number): Output[] {
    if (this.phase !== "sign_in" && this.phase !== "refused" && !this.link) {
      this.attempt = 0;
      this.connect(now);
    }
    return this.done();
  }

  /** Leave everything; `start` begins again where the cursors stand. */
  stop(): Output[] {
    this.leave();
    this.retryAt = null;
    if (this.phase === "live") this.stand("reconnecting");
    return this.done();
  }

  /** The socket is open: say hello. */
  opened(): Output[] {
    this.isOpen = true;
    this.sayHello();
    return this.done();
  }

  heard(via: Via, frame: Frame, now: number): Output[] {
    if (this.isTrying && via === "socket" && frame.type === "welcome") this.changeOver();
    if (via === this.link || (this.isTrying && frame.type === "error")) {
      this.take(frame, now);
      if (this.link === "socket" && this.isWelcome) this.silentAt = now + MISSED * this.heartbeatMs;
    }
    return this.done();
  }

  /** The whole answer to a poll has been told by `heard`: ask on. */
  polled(now: number): Output[] {
    if (this.link === "poll") this.poll(this.pollWaitS, now);
    return this.done();
  }

  /** The socket is closed or did not open, or a poll failed; with the server's code if any. */
  closed(via: Via, code: number | null, now: number): Output[] {
    if (isFinalClose(code) && (via === this.link || this.isTrying)) {
      this.leave();
      this.stand(code === 4001 ? "sign_in" : "refused");
    } else if (this.isTrying && via === "socket") this.endTrial(now);
    else if (via === this.link) this.lose(code, now);
    return this.done();
  }

  tick(now: number): Output[] {
    if (isDue(this.retryAt, now)) this.connect(now);
    if (isDue(this.silentAt, now)) this.resume(now);
    if (isDue(this.trialAt, now)) this.turnTrial(now);
    if (isDue(this.ackAt, now)) this.repeatAcks(now);
    return this.done();
  }

  /** Tell that an alert was received or shown, until the server confirms. */
  ack(alert: string, level: Level, now: number): Output[] {
    this.acknowledge(alert, level, now);
    return this.done();
  }

  /** Replace the set of topics; those that stay keep their place. */
  listen(topics: readonly string[], now: number): Output[] {
    if (this.marks.keep(topics)) {
      if (this.isOpen) this.sayHello();
      if (this.link === "poll") this.poll(0, now);
    }
    return this.done();
  }

  private done(): Output[] {
    const out = this.out;
    this.out = [];
    return out;
  }

  private connect(now: number): void {
    this.link = this.next;
    this.retryAt = null;
    this.silentAt = now + WELCOME_WITHIN_MS;
    if (this.link === "poll") this.poll(0, now);
    else this.out.push({ do: "connect" });
  }

  private poll(waitS: number, now: number): void {
    this.marks.unanswered = 1;
    this.out.push({ do: "poll", topics: { ...this.marks.cursors }, wait_s: waitS });
    this.silentAt = now + WELCOME_WITHIN_MS + 1_000 * waitS;
  }

  private sayHello(): void {
    this.marks.unanswered += 1;
    const topics = { ...this.marks.cursors };
    this.out.push({ do: "send", via: "socket", frame: { type: "hello", topics, ...this.hello } });
  }

  private leave(): void {
    this.dropLink();
    if (this.isTrying) this.out.push({ do: "drop", via: "socket" });
    this.forgetLinks();
  }

  private dropLink(): void {
    if (this.link) this.out.push({ do: "drop", via: this.link });
  }

  private forgetLinks(): void {
    this.link = null;
    this.isTrying = this.isOpen = this.isWelcome = false;
    this.marks.unanswered = 0;
    this.silentAt = this.trialAt = this.ackAt = null;
  }

  /** Try again later: the way in use is gone. */
  private lose(code: number | null, now: number): void {
    this.chooseWay(code);
    if (this.isTrying) this.out.push({ do: "drop", via: "socket" });
    this.forgetLinks();
    const step = Math.max(this.attempt, this.marks.strikes - 1);
    const longest = BACK_OFF_S[Math.min(step, BACK_OFF_S.length - 1)] ?? 15;
    this.retryAt = now + Math.floor(1_000 * longest * (0.5 + 0.5 * this.random()));
    this.attempt += 1;
    if (this.phase === "live") this.stand("reconnecting");
  }

  private chooseWay(code: number | null): void {
    if (this.link === "socket") {
      const wasHeard = this.isWelcome || isOwnClose(code);
      this.blind = wasHeard ? 0 : this.blind + 1;
      this.next = this.blind >= BLIND_MOST ? "poll" : "socket";
    } else if (this.isWelcome) {
      // Some proxy cuts off what is silent for long: the next one waits less.
      this.pollWaitS = Math.max(POLL_WAIT_LEAST_S, Math.floor(this.pollWaitS / 2));
    } else this.next = "socket";
  }

  private stand(phase: Phase): void {
    if (phase !== this.phase) this.out.push({ do: "state", phase });
    this.phase = phase;
  }

  /** Try a socket beside polls now, or give up the one that has not said welcome. */
  private turnTrial(now: number): void {
    this.out.push(this.isTrying ? { do: "drop", via: "socket" } : { do: "connect" });
    if (this.isTrying) this.endTrial(now);
    else {
      this.isTrying = true;
      this.trialAt = now + WELCOME_WITHIN_MS;
    }
  }

  private endTrial(now: number): void {
    this.isTrying = this.isOpen = false;
    this.trialAt = now + TRIAL_EVERY_MS;
  }

  /** Go on by the socket; what polls have brought meanwhile it will bring again. */
  private changeOver(): void {
    this.out.push({ do: "drop", via: "poll" });
    this.link = this.next = "socket";
    this.isTrying = false;
    this.trialAt = null;
    this.pollWaitS = POLL_WAIT_S;
  }

  private take(frame: Frame, now: number): void {
    if (frame.type === "welcome") this.welcome(frame.heartbeat_s, now);
    else if (frame.type === "event") this.event(frame, now);
    else if (frame.type === "heartbeat") {
      if (frame.heartbeat_s) this.heartbeatMs = 1_000 * frame.heartbeat_s;
      if (this.marks.isBehind(frame.topics)) this.resume(now);
    } else this.passOn(frame);
  }

  private passOn(frame: ForApp): void {
    if (frame.type === "snapshot" && !this.marks.set(frame)) return;
    if (frame.type === "ack_ok") {
      this.unconfirmed.delete(`${frame.alert} ${frame.level}`);
      if (!this.unconfirmed.size) this.ackAt = null;
    }
    if (frame.type === "error") this.refused(frame.code, frame.topic, frame.alert);
    if (FOR_APP.has(frame.type)) this.out.push({ do: "hear", frame });
  }

  private welcome(heartbeatS: number, now: number): void {
    this.marks.unanswered = Math.max(0, this.marks.unanswered - 1);
    const isFirst = !this.isWelcome;
    this.isWelcome = true;
    this.attempt = 0;
    this.heartbeatMs = 1_000 * heartbeatS;
    if (this.link === "socket") this.blind = 0;
    // Perhaps the server was away for a while and no proxy is in the way: soon, then rarely.
    else if (isFirst) this.trialAt = now + Math.floor(TRIAL_FIRST_MS * (0.5 + 0.5 * this.random()));
    this.stand("live");
    this.repeatAcks(now);
  }

  private event(frame: { type: "event" } & LiveEvent, now: number): void {
    const verdict = this.marks.judge(frame);
    if (verdict === "apply") this.out.push({ do: "hear", frame });
    if (verdict === "gap") this.resume(now);
    if (verdict !== "had" || !frame.redelivered) return;
    // It is here already; the server has not heard so.
    const alert = (frame.body as { alert?: { id: string } | null } | null)?.alert;
    if (alert) this.acknowledge(alert.id, "received", now);
  }

  /** Leave the connection: something is missing, which a hello with the cursors brings. */
  private resume(now: number): void {
    this.dropLink();
    this.lose(null, now);
  }

  private refused(code: string, topic?: string, alert?: string): void {
    this.marks.forget(topic);
    if (code === "unavailable") return;
    for (const [key, ack] of this.unconfirmed) if (ack.alert === alert) this.unconfirmed.delete(key);
  }

  private acknowledge(alert: string, level: Level, now: number): void {
    this.unconfirmed.set(`${alert} ${level}`, { alert, level });
    if (this.phase === "live") this.sayAck(alert, level, now);
  }

  private repeatAcks(now: number): void {
    this.ackAt = null;
    for (const { alert, level } of this.unconfirmed.values()) this.sayAck(alert, level, now);
  }

  private sayAck(alert: string, level: Level, now: number): void {
    if (!this.link) return;
    this.out.push({ do: "send", via: this.link, frame: { type: "ack", alert, level } });
    this.ackAt = now + ACK_AGAIN_MS;
  }
}

const isDue = (at: number | null, now: number): boolean => at !== null && at <= now;
