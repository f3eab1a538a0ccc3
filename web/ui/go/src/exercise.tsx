import { useWords } from "@shared/language.ts";
import { useStore } from "@shared/store.ts";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { moves } from "./moves.ts";
import { usePhone } from "./phone.ts";

/** Whether what this phone is busy with is an exercise. */
export function useExercise(): boolean {
  const late = useStore(moves).late?.exercise ?? false;
  return usePhone(
    ({ mission, alert, standDown }) =>
      mission?.incident.exercise ?? standDown?.incident?.exercise ?? alert?.incident.exercise ?? late,
  );
}

/** The word and the hatched frame round a screen that has none of its own. */
export function ExerciseFrame({ children }: { children: ComponentChildren }) {
  const words = useWords();
  const exercise = useExercise();
  return (
    <>
      {exercise ? (
        <p class="exercise-frame" data-testid="exercise-frame">
          <span>{words.parts.exercise}</span>
        </p>
      ) : null}
      {children}
    </>
  );
}

/** The name of the page, with the word before it. */
export function useTitle(title: string): void {
  const words = useWords();
  const exercise = useExercise();
  useEffect(() => {
    document.title = exercise ? `${words.parts.exercise} · ${title}` : title;
  }, [title, exercise, words]);
}
