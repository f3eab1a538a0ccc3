import { useWords } from "@shared/language.ts";
import { useStore } from "@shared/store.ts";
import type { TargetedKeyboardEvent, TargetedPointerEvent } from "preact";
import { HOURS, percent } from "./hours.ts";
import { ask, plan } from "./plan_state.ts";
import { useHour } from "./when.ts";

const CLASS_OF = (share: number) => Math.min(4, Math.floor(share * 5));

/** A bar for each hour of the week; click, drag or arrow keys choose one. */
export function HourStrip() {
  const words = useWords().planner;
  const { week, coverage, question } = useStore(plan);
  const { hour, when, name } = useHour();
  const share = coverage?.share;
  const choose = (event: TargetedPointerEvent<HTMLDivElement>) => {
    if (event.type === "pointermove" && event.buttons !== 1) return;
    const box = event.currentTarget.getBoundingClientRect();
    const next = Math.min(
      HOURS - 1,
      Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * HOURS)),
    );
    if (next !== question.hour) ask({ hour: next });
  };
  const onKey = (event: TargetedKeyboardEvent<HTMLDivElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, PageUp: 24, PageDown: -24 }[event.key];
    if (!step) return;
    event.preventDefault();
    ask({ hour: (hour + step + HOURS) % HOURS });
  };
  return (
    <div class="gm-float strip-card">
      <p class="strip-head">
        <b>{when}</b>
        <span>{share == null ? "–" : `${words.baseline} ${percent(share)}%`}</span>
        <small>{words.strip(question.withinS / 60)}</small>
      </p>
      <div
        class="strip"
        role="slider"
        tabIndex={0}
        aria-label={words.hour}
        aria-valuemin={0}
        aria-valuemax={HOURS - 1}
        aria-valuenow={hour}
        aria-valuetext={words.stripHour(name(hour), percent(week?.[hour] ?? share ?? 0))}
        onPointerDown={choose}
        onPointerMove={choose}
        onKeyDown={onKey}
      >
        <Bars week={week} hour={hour} />
      </div>
      <div class="strip-days">
        {words.days.map((day, index) => (
          <span key={day} class={Math.floor(hour / 24) === index ? "on" : ""}>
            {day}
          </span>
        ))}
      </div>
    </div>
  );
}

function Bars({ week, hour }: { week: number[] | null; hour: number }) {
  return (
    <svg viewBox="0 0 168 50" preserveAspectRatio="none" aria-hidden="true">
      {(week ?? []).map((share, at) => {
        const height = Math.max(1, share * 46);
        const key = `hour ${at}`;
        return (
          <rect
            key={key}
            class={`c${CLASS_OF(share)}`}
            x={at + 0.12}
            y={50 - height}
            width={0.76}
            height={height}
          />
        );
      })}
      {[1, 2, 3, 4, 5, 6].map((day) => (
        <line key={day} class="day" x1={day * 24} x2={day * 24} y1={0} y2={50} />
      ))}
      <rect class="cursor" x={hour + 0.2} y={0} width={0.6} height={50} />
    </svg>
  );
}
