import { useWords } from "@shared/language.ts";
import { useStore } from "@shared/store.ts";
import { hourOf } from "./hours.ts";
import { plan } from "./plan_state.ts";

/** The hour shown: its number in the week and its words. */
export function useHour(): { hour: number; when: string; name: (hour: number) => string } {
  const words = useWords().planner;
  const { coverage, question } = useStore(plan);
  const hour = question.hour ?? (coverage ? hourOf(coverage.at, coverage.week_begins) : 0);
  const name = (of: number) =>
    `${words.days[Math.floor(of / 24)] ?? ""} ${String(of % 24).padStart(2, "0")}:00`;
  return { hour, when: question.hour === null ? words.now : name(hour), name };
}
