import { learnServerTime } from "../clock.ts";
import type { PositionItem } from "../shapes.ts";
import { createStore, type Store } from "../store.ts";
import {
  backOffMs,
  helloTopics,
  isBehind,
  isFinalClose,
  keepTopics,
  type Mark,
  type Marks,
  onEvent,
  onSnapshot,
} from "./resume.ts";

/** What the screen shows about the connection. */
export interface LiveState {
  phase: "connecting" | "live" | "reconnecting" | "sign_in" | "refused";
  /** Device time (ms) of the last message; everything shown is at least this old. */
  heardAt: number | null;
  /** Device time (ms) when the connection was lost. */
  lostAt: number | null;
}

export interface LiveEvent {
  topic: string;
  epoch: string;
  seq: string;
  kind: string;
  at: string;
  body: unknown;
  redelivered?: boolean;
}

export interface LiveHandlers {
  onSnapshot(topic: string, body: unknown, mark: Mark): void;
  onEvent(event: LiveEvent): void;
  onPositions?(topic: string, items: PositionItem[]): void;
  onAckOk?(alert: string, level: string): void;
}

type Frame =
  | { type: "welcome"; server_time: string; heartbeat_s: number }
  | { type: "snapshot"; topic: string; epoch: string; seq: string; body: unknown }
  | ({ type: "event" } & LiveEvent)
  | { type: "heartbeat"; topics: Record<string, string>; server_time: string; heartbeat_s?: number }
  | { type: "positions"; topic: string; items: PositionItem[] }
  | { type: "ack_ok"; alert: string; level: string }
  | { type: "error"; code: string };

const MISSED_HEARTBEATS = 2.5;
const CONNECT_WITHIN_MS = 6000;
// A heartbeat may overtake nothing on one socket, but a busy page may still be applying: look twice.
const BEHIND_GRACE_MS = 1500;

/** One socket that stays connected and resumes; the only WebSocket code of the front ends. */
export class Live {
  readonly state: Store<LiveState> = createStore<LiveState>({
    phase: "connecting",
    heardAt: null,
    lostAt: null,
  });
  private socket: WebSocket | null = null;
  private marks: Marks = {};
  private topics: string[] = [];
  private attempt = 0;
  private heartbeatMs = 5000;
  private retryTimer = 0;
  private watchdog = 0;
  private behindTimer = 0;
  private readonly handlers: LiveHandlers;
  private readonly app: string;
  private readonly hint = () => this.tryNow();

  constructor(app: string, handlers: LiveHandlers) {
    this.app = app;
    this.handlers = handlers;
  }

  /** Connect and stay connected; `marks` lets a page resume from what it has stored. */
  start(topics: string[], marks: Marks = {}): void {
    this.topics = [...topics];
    this.marks = keepTopics(marks, this.topics);
    window.addEventListener("online", this.hint);
    document.addEventListener("visibilitychange", this.hint);
    this.connect();
  }

  stop(): void {
    window.removeEventListener("online", this.hint);
    document.removeEventListener("visibilitychange", this.hint);
    this.clearTimers();
    this.drop();
  }

  /** Replace the set of topics; those that stay keep their place. */
  setTopics(topics: string[]): void {
    if (topics.join() === this.topics.join()) return;
    this.topics = [...topics];
    this.marks = keepTopics(this.marks, this.topics);
    if (this.socket?.readyState === WebSocket.OPEN) this.sayHello();
  }

  /** Send a message if connected; returns false when it could not go. */
  send(message: Record<string, unknown>): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  private tryNow(): void {
    const { phase } = this.state.get();
    const waiting = phase === "reconnecting" || phase === "connecting";
    if (document.visibilityState === "hidden" || !waiting || this.socket) return;
    this.connect();
  }

  private connect(): void {
    this.clearTimers();
    this.drop();
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/live`);
    this.socket = socket;
    // Events of a socket that was replaced meanwhile are ignored.
    const mine = (handle: (event: MessageEvent) => void) => (event: Event) => {
      if (this.socket === socket) handle(event as MessageEvent);
    };
    socket.addEventListener(
      "open",
      mine(() => this.sayHello()),
    );
    socket.addEventListener(
      "message",
      mine((event) => this.onMessage(String(event.data))),
    );
    socket.addEventListener("close", (event) => {
      if (this.socket === socket) this.onClose(event.code);
    });
    this.watch(CONNECT_WITHIN_MS);
  }

  private sayHello(): void {
    this.send({ type: "hello", topics: helloTopics(this.marks, this.topics), app: this.app });
  }

  private onMessage(text: string): void {
    const frame = JSON.parse(text) as Frame;
    this.watch(this.heartbeatMs * MISSED_HEARTBEATS);
    const phase = frame.type === "welcome" ? "live" : this.state.get().phase;
    this.state.update((state) => ({
      ...state,
      phase,
      heardAt: Date.now(),
      lostAt: phase === "live" ? null : state.lostAt,
    }));
    this.handle(frame);
  }

  private handle(frame: Frame): void {
    switch (frame.type) {
      case "welcome":
        this.attempt = 0;
        this.setHeartbeat(frame.heartbeat_s);
        learnServerTime(frame.server_time);
        return;
      case "heartbeat":
        if (frame.heartbeat_s) this.setHeartbeat(frame.heartbeat_s);
        learnServerTime(frame.server_time);
        this.checkBehind(frame.topics);
        return;
      case "snapshot":
        this.applySnapshot(frame);
        return;
      case "event":
        this.applyEvent(frame);
        return;
      case "positions":
        this.handlers.onPositions?.(frame.topic, frame.items);
        return;
      case "ack_ok":
        this.handlers.onAckOk?.(frame.alert, frame.level);
        return;
      case "error":
        console.warn(`live: ${frame.code}`);
    }
  }

  private applySnapshot(frame: Extract<Frame, { type: "snapshot" }>): void {
    const verdict = onSnapshot(this.marks, frame);
    this.marks = verdict.marks;
    if (verdict.do !== "apply") return;
    this.handlers.onSnapshot(frame.topic, frame.body, { epoch: frame.epoch, seq: frame.seq });
  }

  private applyEvent(frame: LiveEvent): void {
    const verdict = onEvent(this.marks, frame);
    this.marks = verdict.marks;
    if (verdict.do === "apply") this.handlers.onEvent(frame);
    if (verdict.do === "gap") this.sayHello();
  }

  private checkBehind(topics: Record<string, string>): void {
    window.clearTimeout(this.behindTimer);
    if (!isBehind(this.marks, topics)) return;
    this.behindTimer = window.setTimeout(() => {
      if (isBehind(this.marks, topics)) this.sayHello();
    }, BEHIND_GRACE_MS);
  }

  private setHeartbeat(seconds: number): void {
    this.heartbeatMs = seconds * 1000;
    this.watch(this.heartbeatMs * MISSED_HEARTBEATS);
  }

  private watch(ms: number): void {
    window.clearTimeout(this.watchdog);
    this.watchdog = window.setTimeout(() => {
      this.drop();
      this.onClose(0);
    }, ms);
  }

  private onClose(code: number): void {
    this.socket = null;
    this.clearTimers();
    if (isFinalClose(code)) {
      this.state.update((state) => ({ ...state, phase: code === 4001 ? "sign_in" : "refused" }));
      return;
    }
    this.state.update((state) => ({
      ...state,
      phase: state.heardAt === null ? "connecting" : "reconnecting",
      lostAt: state.lostAt ?? Date.now(),
    }));
    this.retryTimer = window.setTimeout(() => this.connect(), backOffMs(this.attempt, Math.random()));
    this.attempt += 1;
  }

  private drop(): void {
    const old = this.socket;
    this.socket = null;
    if (old && old.readyState <= WebSocket.OPEN) old.close(1000);
  }

  private clearTimers(): void {
    for (const timer of [this.retryTimer, this.watchdog, this.behindTimer]) window.clearTimeout(timer);
  }
}
