import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Mission } from "@shared/shapes.ts";

/** How far the mission has come: a tick for done, a bold ring for next. */
export function Steps({ mission }: { mission: Mission }) {
  const all = useWords();
  const words = mission.role === "guide" ? all.care.guide.dots : all.go.mission.dots;
  // The end of the mission is a button, not a place on the way.
  const steps = mission.steps.filter((step) => step !== "cleared");
  const next = mission.next_step;
  return (
    <ol class="steps">
      {steps.map((step) => {
        const done = Boolean(mission.times[`${step}_at`]);
        return (
          <li
            key={step}
            class={done ? "done" : step === next ? "next" : ""}
            aria-current={step === next ? "step" : undefined}
          >
            <i>{done ? <Icon name="check" size={16} /> : null}</i>
            <span>{words[step]}</span>
          </li>
        );
      })}
    </ol>
  );
}
