import { learnServerTime } from "../clock.ts";
import type { PositionItem } from "../shapes.ts";
import { createStore, type Store } from "../store.ts";
import type { ForApp, Frame, Level, LiveEvent, Output, Phase, Sent, Trouble, Via } from "./frames.ts";
import { Machine } from "./machine.ts";
import type { Cursors, Mark } from "./marks.ts";
import { Polls } from "./polls.ts";

export type { LiveEvent };

/** What the screen shows about the connection. */
export interface LiveState {
  phase: Phase;
  /** Device time (ms) of the last message; everything shown is at least this old. */
  heardAt: number | null;
  /** Device time (ms) when the connection was lost. */
  lostAt: number | null;
  /** What is broken in the way of an alert, as consoles are told. */
  troubles: readonly Trouble[];
}

export interface LiveHandlers {
  onSnapshot(topic: string, body: unknown, mark: Mark): void;
  onEvent(event: LiveEvent): void;
  onPositions?(topic: string, items: PositionItem[]): void;
  onAckOk?(alert: string, level: string): void;
}

const NONE: readonly Trouble[] = [];
/** What a browser says where no close frame came. */
const NO_WORD = 1006;

/** One device's place in the live log, kept up by a socket or else by polls; does what its machine decides. */
export class Live {
  readonly state: Store<LiveState> = createStore<LiveState>({
    phase: "connecting",
    heardAt: null,
    lostAt: null,
    troubles: NONE,
  });
  private machine: Machine | null = null;
  private socket: WebSocket | null = null;
  private timer = 0;
  private readonly polls = new Polls({
    onAnswer: (answer) => this.onPolled(answer.frames, answer.server_time),
    onAcked: (answer) => this.onFrames(answer.frames),
    onFailed: (code) => this.step((machine, now) => machine.closed("poll", code, now)),
  });
  private readonly hint = () => {
    if (document.visibilityState !== "hidden") this.step((machine, now) => machine.start(now));
  };

  constructor(
    private readonly app: string,
    private readonly handlers: LiveHandlers,
  ) {}

  /** Connect and stay connected; `marks` lets a page resume from what it has stored. */
  start(topics: string[], marks: Readonly<Cursors> = {}): void {
    const cursors = Object.fromEntries(topics.map((topic) => [topic, marks[topic] ?? null]));
    this.machine = new Machine(cursors, { app: this.app }, Math.random);
    this.state.update((state) => ({ ...state, phase: "connecting" }));
    window.addEventListener("online", this.hint);
    document.addEventListener("visibilitychange", this.hint);
    this.step((machine, now) => machine.start(now));
  }

  stop(): void {
    window.removeEventListener("online", this.hint);
    document.removeEventListener("visibilitychange", this.hint);
    this.step((machine) => machine.stop());
    window.clearTimeout(this.timer);
    this.machine = null;
  }

  /** Replace the set of topics; those that stay keep their place. */
  setTopics(topics: string[]): void {
    this.step((machine, now) => machine.listen(topics, now));
  }

  /** Tell that an alert is on this device, or on its screen, until the server has it. */
  ack(alert: string, level: Level): void {
    this.step((machine, now) => machine.ack(alert, level, now));
  }

  /** Tell where the device is, if connected; returns false when it could not go. */
  send(message: Record<string, unknown>): boolean {
    if (this.machine?.phase !== "live") return false;
    if (this.machine.link === "poll") {
      this.polls.locate(message);
      return true;
    }
    return this.write(message);
  }

  /** Tell the machine what happened, and do what it answers. */
  private step(happened: (machine: Machine, now: number) => Output[]): void {
    const { machine } = this;
    if (!machine) return;
    for (const output of happened(machine, performance.now())) this.carryOut(output);
    window.clearTimeout(this.timer);
    const { wakeAt } = machine;
    if (wakeAt === null || this.machine !== machine) return;
    const wait = Math.max(0, Math.ceil(wakeAt - performance.now()));
    this.timer = window.setTimeout(() => this.step((known, now) => known.tick(now)), wait);
  }

  private carryOut(output: Output): void {
    switch (output.do) {
      case "connect":
        this.connect();
        break;
      case "drop":
        this.drop(output.via);
        break;
      case "send":
        this.say(output.via, output.frame);
        break;
      case "poll":
        this.polls.ask(output.topics, output.wait_s);
        break;
      case "hear":
        this.hear(output.frame);
        break;
      case "state":
        this.show(output.phase);
    }
  }

  private connect(): void {
    this.drop("socket");
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/live`);
    this.socket = socket;
    // Events of a socket that was replaced meanwhile are ignored.
    const isMine = () => this.socket === socket;
    socket.addEventListener("open", () => {
      if (isMine()) this.step((machine) => machine.opened());
    });
    socket.addEventListener("message", ({ data }) => {
      if (isMine()) this.onFrames([JSON.parse(String(data)) as Frame], "socket");
    });
    socket.addEventListener("close", ({ code }) => {
      if (!isMine()) return;
      this.socket = null;
      this.step((machine, now) => machine.closed("socket", code === NO_WORD ? null : code, now));
    });
  }

  private drop(via: Via): void {
    if (via === "poll") {
      this.polls.stop();
      return;
    }
    const old = this.socket;
    this.socket = null;
    if (old && old.readyState <= WebSocket.OPEN) old.close(1000);
  }

  private say(via: Via, frame: Sent): void {
    if (via === "socket") this.write(frame);
    else if (frame.type === "ack") this.polls.acknowledge(frame);
  }

  private write(message: Record<string, unknown>): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  private onPolled(frames: Frame[], serverTime: string): void {
    // A frame may have waited for as long as the poll.
    learnServerTime(serverTime);
    this.onFrames(frames);
    this.step((machine, now) => machine.polled(now));
  }

  private onFrames(frames: Frame[], via: Via = "poll"): void {
    this.state.update((state) => ({ ...state, heardAt: Date.now() }));
    for (const frame of frames) {
      if ("server_time" in frame && via === "socket") learnServerTime(frame.server_time);
      if (frame.type === "heartbeat") this.showTroubles(frame.troubles ?? NONE);
      this.step((machine, now) => machine.heard(via, frame, now));
    }
  }

  private hear(frame: ForApp): void {
    const { handlers } = this;
    if (frame.type === "snapshot") {
      handlers.onSnapshot(frame.topic, frame.body, { epoch: frame.epoch, seq: frame.seq });
    } else if (frame.type === "event") handlers.onEvent(frame);
    else if (frame.type === "positions") handlers.onPositions?.(frame.topic, frame.items);
    else if (frame.type === "ack_ok") handlers.onAckOk?.(frame.alert, frame.level);
    else console.warn(`live: ${frame.code}`);
  }

  private show(phase: Phase): void {
    const isLost = phase === "reconnecting";
    this.state.update((state) => ({
      ...state,
      phase,
      lostAt: phase === "live" ? null : isLost ? (state.lostAt ?? Date.now()) : state.lostAt,
    }));
  }

  private showTroubles(troubles: readonly Trouble[]): void {
    this.state.update((state) => {
      const isSame = JSON.stringify(state.troubles) === JSON.stringify(troubles);
      return isSame ? state : { ...state, troubles };
    });
  }
}
