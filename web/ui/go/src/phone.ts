// The one state of the phone app, and everything that moves it: the session, the live log, taps.

import { get, newKey, Problem, post, put } from "@shared/api.ts";
import { serverNow } from "@shared/clock.ts";
import { Live, type LiveEvent } from "@shared/live/socket.ts";
import type {
  Duty,
  Me,
  Mission,
  PersonAlert,
  PersonChanges,
  PersonSnapshot,
  Survey,
} from "@shared/shapes.ts";
import { createStore, useSelect } from "@shared/store.ts";
import { returnedBy, returnPath } from "./carried.ts";
import { carryFrom, carrying, carryNothing, learnCarried, sendReturn } from "./carrying.ts";
import { type Answer, Journal } from "./journal.ts";
import { type AedProblem, noteLate, noteMove, noteReported, reportPath, whyLate } from "./moves.ts";
import { type Entry, Outbox, type Outcome, stepHold } from "./outbox.ts";
import { nobody, onChanges, onSnapshot, type PersonState, withTaps } from "./person_state.ts";
import { place } from "./position.ts";
import { renewPush } from "./push.ts";
import { type Impact, noteAnswered } from "./survey.ts";

export type Notice =
  | { kind: "declined" | "timed_out" | "thanks" | "practiced" }
  | { kind: "refused" | "said"; text: string };

export type Verb = "accept" | "decline";

export interface PhoneState extends PersonState {
  session: "loading" | "out" | "in";
  me: Me | null;
  /** Taps not yet at the server. */
  waiting: Entry[];
  /** The answer that is on its way, and to which alert. */
  answering: { alert: string; verb: Verb } | null;
  notice: Notice | null;
}

const KEPT = "golden.go.kept";
const READ = "golden.go.read";
const REQUEST_MS = 10_000;

export const journal = new Journal(localStorage);
const store = createStore<PhoneState>({
  ...nobody,
  session: "loading",
  me: null,
  waiting: [],
  answering: null,
  notice: null,
});
const outbox = new Outbox(localStorage, deliver, () => merge({ waiting: outbox.entries() }));
export const live = new Live("go", {
  onSnapshot: (_topic, body) => apply(() => onSnapshot(unread(body as PersonSnapshot), reading(0))),
  onEvent: (event) => {
    const body = event.body as PersonChanges;
    apply((state) => onChanges(state, unread(body), readingOf(event)));
    if (body.care || body.duty) void refresh();
  },
});

export const usePhone = <S>(pick: (state: PhoneState) => S): S => useSelect(store, pick);
export const phoneState = (): PhoneState => store.get();
const merge = (some: Partial<PhoneState>) => store.update((state) => ({ ...state, ...some }));
export const showNotice = (notice: Notice | null) => merge({ notice });

const reading = (ageMs: number) => ({ monotonic: performance.now(), ageMs });
const readingOf = (event: LiveEvent) => reading(Math.max(0, serverNow() - Date.parse(event.at)));

/** Sign in from the cookie, or show what was kept when there is no network. */
export async function open(): Promise<void> {
  merge({ waiting: outbox.entries() });
  recall();
  await refresh();
  void flush();
}

/** Read everything about the owner again. */
export async function refresh(): Promise<void> {
  try {
    take(await get<Me>("/me"));
  } catch (error) {
    if (error instanceof Problem && error.status === 401) signedOut();
    else if (!store.get().me) merge({ session: "out" });
  }
}

export function signedOut(): void {
  live.stop();
  started = "";
  for (const name of [KEPT, READ]) localStorage.removeItem(name);
  carryNothing();
  merge({ ...nobody, session: "out", me: null });
}

let started = "";

function take(me: Me): void {
  merge({ session: "in", me });
  const { person, duty, duty_until, alert, mission, stand_down } = me;
  // While the live log flows it alone is the truth; this answer may already be older.
  if (live.state.get().phase !== "live") {
    apply(() => onSnapshot(unread({ person, duty, duty_until, alert, mission, stand_down }), reading(0)));
  }
  listen(person.id);
  if (outbox.entries().length === 0) void learnCarried();
}

/** Follow the live log of this person; a phone that starts without network does so from what it has kept. */
function listen(person: string): void {
  if (started === person) return;
  if (started) live.stop();
  started = person;
  live.start([`person:${person}`]);
  void renewPush();
}

/** A stand-down that was read stays read, although the server may not know yet. */
function unread<T extends PersonChanges | PersonSnapshot>(body: T): T {
  const read = localStorage.getItem(READ);
  return body.stand_down && body.stand_down.alert === read ? { ...body, stand_down: null } : body;
}

function apply(change: (state: PersonState) => PersonState): void {
  const before = store.get();
  const after = change(before);
  if (after === before) return;
  merge(after);
  noteEnd(before, after);
  noteMove(before.mission, after.mission);
  keep();
}

/** Write the end of an alert into the journal and say it, when nothing else on screen does. */
function noteEnd(before: PersonState, after: PersonState): void {
  if (before.mission && !after.mission) carryFrom(withTaps(before.mission, outbox.entries()));
  const gone = before.alert && before.alert.id !== after.alert?.id ? before.alert : null;
  if (after.standDown && !before.standDown) journal.answer(after.standDown.alert, "stood_down");
  if (gone && after.mission?.alert !== gone.id && !after.standDown && !store.get().answering) {
    journal.answer(gone.id, "timed_out");
    merge({ notice: { kind: "timed_out" } });
  }
}

/** Keep what a start without network needs: who I am, and the mission I am on. */
function keep(): void {
  const { me, duty, dutyUntil, mission } = store.get();
  if (me) localStorage.setItem(KEPT, JSON.stringify({ me, duty, dutyUntil, mission }));
}

function recall(): void {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "null") as Partial<PhoneState> | null;
    if (!kept?.me) return;
    const { me, duty = "unknown", dutyUntil = null, mission = null } = kept;
    merge({ session: "in", me, duty, dutyUntil, mission });
    listen(me.person.id);
  } catch {
    localStorage.removeItem(KEPT);
  }
}

/** Go on or off duty; throws the Problem, because nobody may believe in a switch that did not switch. */
export async function setDuty(duty: Duty, until: string | null): Promise<void> {
  await put("/me/duty", { duty, until });
  apply((state) => ({ ...state, duty, dutyUntil: until }));
  await refresh();
}

/** Answer an alert; the answer waits in the outbox when the network is away. */
export function answer(alert: PersonAlert, verb: Verb): void {
  merge({ answering: { alert: alert.id, verb } });
  tap(`/alerts/${alert.id}/${verb}`, {});
}

/** Take the next step of the mission; held a few seconds so that a wrong tap can be undone. */
export function step(mission: Mission, name: string, reason?: string): void {
  const held = reason ? 0 : Date.now() + stepHold;
  tap(`/assignments/${mission.id}/${name}`, { ...here(), ...(reason ? { reason } : {}) }, held);
}

/** An AED hangs at its place again; held a few seconds so that a wrong tap can be undone. */
export function giveBack(aed: string, padsUsed: boolean): void {
  tap(returnPath(aed), { pads_used: padsUsed }, Date.now() + stepHold);
}

/** The AED cannot be had. This goes at once: others may be on their way to it. */
export function reportAed(mission: Mission, kind: AedProblem): void {
  if (!mission.aed) return;
  noteReported(mission, kind);
  send(reportPath(mission.aed.id), { kind });
}

/** Say how one is after a mission; the phone keeps the answer only until the server has it. */
export function answerSurvey(survey: Survey, impact: Impact): void {
  noteAnswered(survey, impact);
  send(`/me/surveys/${survey.id}`, { impact });
}

export function undo(entry: Entry): void {
  outbox.withdraw(entry.key);
}

/** The stand-down has been read; the server is told as soon as it can be. */
export function readStandDown(alert: string): void {
  localStorage.setItem(READ, alert);
  tap(`/alerts/${alert}/seen`, {});
  apply((state) => ({ ...state, standDown: null, carried: null }));
}

/** The alert is on the screen and the screen is visible. */
export function seen(alert: PersonAlert): void {
  post(`/alerts/${alert.id}/seen`, { at: new Date(serverNow()).toISOString() }).catch(() => undefined);
}

function here(): { position?: { type: "Point"; coordinates: [number, number] } } {
  const { fix } = place.get();
  return fix ? { position: { type: "Point", coordinates: [fix.lon, fix.lat] } } : {};
}

function tap(path: string, body: Record<string, unknown>, heldUntil = 0): void {
  send(path, { at: new Date(serverNow()).toISOString(), ...body }, heldUntil);
}

function send(path: string, body: Record<string, unknown>, heldUntil = 0): void {
  outbox.add({ key: newKey(), path, body, heldUntil });
  void flush(true);
}

export async function flush(hurry = false): Promise<void> {
  const waited = outbox.entries().length;
  await outbox.flush(Date.now(), hurry);
  const isEmpty = outbox.entries().length === 0;
  if (waited > 0 && isEmpty && (carrying.get().length > 0 || store.get().mission?.aed)) await learnCarried();
}
export const releaseTaps = (): void => outbox.release();

async function deliver(entry: Entry): Promise<Outcome> {
  try {
    const signal = AbortSignal.timeout(REQUEST_MS);
    const aed = returnedBy(entry);
    if (aed) await sendReturn(aed, entry, signal);
    else absorb(entry, await post(entry.path, entry.body, { key: entry.key, retries: 0, signal }));
    return "sent";
  } catch (error) {
    return judge(entry, error);
  }
}

function judge(entry: Entry, error: unknown): Outcome {
  const status = error instanceof Problem ? error.status : 0;
  if (status === 401) signedOut();
  if (status === 0 || status === 401 || status === 429 || status >= 500) return "later";
  const [, noun, alert = "", verb] = entry.path.split("/");
  const why = noun === "alerts" && verb === "accept" && error instanceof Problem ? whyLate(error) : null;
  if (why) noteLate(alert, why, isExercise(alert));
  // A refused answer means that the alert is over, whatever else the screen knew.
  if (/\/(accept|decline)$/.test(entry.path)) apply((state) => onChanges(state, { alert: null }, reading(0)));
  const notice: Notice | null = why ? null : { kind: "refused", text: (error as Problem).message };
  merge({ answering: null, notice });
  void refresh();
  return "refused";
}

/** Whether the alert on screen, or the stand-down that has replaced it, is of an exercise. */
function isExercise(id: string): boolean {
  const { alert, standDown } = store.get();
  return (alert?.id === id ? alert : standDown)?.incident?.exercise ?? false;
}

const ANSWERS: Record<string, Answer> = {
  accept: "accepted",
  decline: "declined",
  cleared: "cleared",
  unable: "unable",
};

interface Reply {
  alert?: PersonAlert;
  assignment?: Mission;
}

/** What an accepted tap brings back; the live log will say the same, which changes nothing. */
function absorb(entry: Entry, reply: Reply | null): void {
  const [, , id = "", verb = ""] = entry.path.split("/");
  const { assignment } = reply ?? {};
  const ended = ANSWERS[verb];
  if (ended) journal.answer(assignment?.alert ?? id, ended);
  if (verb === "accept" || verb === "decline") {
    apply((state) => onChanges(state, { alert: null, mission: assignment ?? state.mission }, reading(0)));
    merge({ answering: null, notice: verb === "decline" ? { kind: "declined" } : null });
    return;
  }
  if (verb === "cleared") merge({ notice: { kind: "thanks" } });
  if (!assignment) return;
  apply((state) => onChanges(state, { mission: assignment }, reading(0)));
}
