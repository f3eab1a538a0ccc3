import { timeOfDay } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { StandDown } from "@shared/shapes.ts";
import { useEffect } from "preact/hooks";
import { softSignal } from "./alarm.ts";
import type { Late } from "./moves.ts";

interface Props {
  title: string[];
  text: string;
  at: string;
  exercise: boolean;
  onRead: () => void;
}

/** Enough others are going: no stop sign, as nobody was on the way, and nothing went wrong. */
export function CoveredScreen({ standDown, onRead }: { standDown: StandDown; onRead: () => void }) {
  const words = useWords().care.thanks;
  const exercise = standDown.incident?.exercise ?? false;
  return (
    <Thanks
      title={words.covered}
      text={words.coveredText}
      at={standDown.at}
      exercise={exercise}
      onRead={onRead}
    />
  );
}

/** The accept came too late; it was kind all the same. */
export function LateScreen({ late, onRead }: { late: Late; onRead: () => void }) {
  const words = useWords().care.thanks;
  const known: Record<string, string> = words.lateText;
  return (
    <Thanks
      title={words.late}
      text={known[late.why] ?? words.lateText.other}
      at={late.at}
      exercise={late.exercise}
      onRead={onRead}
    />
  );
}

function Thanks({ title, text, at, exercise, onRead }: Props) {
  const all = useWords();
  const words = all.care.thanks;
  useEffect(softSignal, [at]);
  return (
    <main class={`thanks ${exercise ? "exercise" : ""}`} aria-label={title.join(" ")} data-testid="thanks">
      <span class="thanks-mark">
        <Icon name="people" size={44} />
      </span>
      {exercise ? <span class="drill-line">{all.parts.exercise}</span> : null}
      <div role="alert">
        <h1>
          {title.map((line) => (
            <span key={line}>{line}</span>
          ))}
        </h1>
      </div>
      <p>{text}</p>
      <p class="thanks-at">
        {words.at} {timeOfDay(at)}
      </p>
      <button type="button" class="phone-button primary" data-testid="thanks-read" onClick={onRead}>
        {words.ok}
      </button>
    </main>
  );
}
