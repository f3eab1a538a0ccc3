// What the planner looks at, and the reading of it: again when the question or an AED changes.

import { get, Problem } from "@shared/api.ts";
import { type City, loadCities } from "@shared/map/city.ts";
import type { Aed, Coverage, Page, Session } from "@shared/shapes.ts";
import { createStore } from "@shared/store.ts";
import { momentOf } from "./hours.ts";

export interface Question {
  withinS: number;
  /** Hour of the week; null is now. */
  hour: number | null;
  dataset: string | null;
}

type Answer = Coverage & { week_begins: string };

export interface PlanState {
  session: Session | null;
  cities: City[];
  question: Question;
  coverage: Answer | null;
  /** Share for each hour of the week, for `weekFor` seconds of walking. */
  week: number[] | null;
  weekFor: string;
  aeds: Aed[];
  busy: boolean;
  problem: Problem | null;
}

const AGAIN_MS = 8000;
const PAGE = 500;
const MOST = 5000;

export const plan = createStore<PlanState>({
  session: null,
  cities: [],
  question: { withinS: 240, hour: null, dataset: null },
  coverage: null,
  week: null,
  weekFor: "",
  aeds: [],
  busy: true,
  problem: null,
});

const merge = (some: Partial<PlanState>) => plan.update((state) => ({ ...state, ...some }));

/** Sign in from the cookie, then keep looking: AEDs change while a planner thinks. */
export async function start(): Promise<void> {
  const [session, cities] = await Promise.all([get<Session>("/session"), loadCities()]);
  merge({ session, cities });
  await read();
  window.setInterval(() => document.visibilityState === "visible" && void read(), AGAIN_MS);
}

export function ask(some: Partial<Question>): void {
  plan.update((state) => ({ ...state, question: { ...state.question, ...some }, busy: true }));
  void read();
}

export const cityOf = ({ cities, question }: PlanState): City | null =>
  cities.find((city) => city.name === question.dataset) ?? cities[0] ?? null;

let round = 0;
let answered = "";

async function read(): Promise<void> {
  round += 1;
  const mine = round;
  const { question, coverage, aeds } = plan.get();
  const begins = coverage?.week_begins;
  const at = question.hour === null || !begins ? undefined : momentOf(question.hour, begins);
  try {
    const fresh = await get<Answer>("/coverage", {
      at,
      within_s: question.withinS,
      dataset: question.dataset,
    });
    const same = sameCover(fresh, coverage);
    const list = same && aeds.length > 0 ? aeds : await readAeds(fresh.at);
    // A later question has overtaken this answer.
    if (mine !== round) return;
    const changed = answered === JSON.stringify(question) && !same;
    answered = JSON.stringify(question);
    merge({ coverage: same ? coverage : fresh, aeds: list, busy: false, problem: null });
    await readWeek(mine, at, changed);
  } catch (error) {
    if (mine === round && error instanceof Problem) merge({ problem: error, busy: false });
  }
}

/** Nothing that shows has changed: the same objects stay, and nothing is drawn again. */
function sameCover(a: Coverage, b: Coverage | null): boolean {
  return (
    b !== null &&
    a.within_s === b.within_s &&
    Math.floor(Date.parse(a.at) / 60_000) === Math.floor(Date.parse(b.at) / 60_000) &&
    a.aeds_used === b.aeds_used &&
    a.aeds_known === b.aeds_known &&
    JSON.stringify(a.hexagons) === JSON.stringify(b.hexagons)
  );
}

/** The week depends on the walk and the AEDs, not on the hour that is shown. */
async function readWeek(mine: number, at: string | undefined, changed: boolean): Promise<void> {
  const { question, week, weekFor } = plan.get();
  const key = `${question.withinS} ${question.dataset}`;
  if (week && weekFor === key && !changed) return;
  const { withinS: within_s, dataset } = question;
  const answer = await get<Answer>("/coverage", { at, within_s, dataset, week: true });
  if (mine === round) merge({ week: answer.week ?? null, weekFor: key });
}

async function readAeds(at: string): Promise<Aed[]> {
  const city = cityOf(plan.get());
  const all: Aed[] = [];
  let cursor: string | null = null;
  do {
    const query: Record<string, string | number | null> = {
      at,
      limit: PAGE,
      cursor,
      bbox: city?.bounds.join() ?? null,
    };
    const page: Page<Aed> = await get<Page<Aed>>("/aeds", query);
    all.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor && all.length < MOST);
  return all;
}
