import { running, serverNow, timeOfDay } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import { useStore } from "@shared/store.ts";
import { useEffect } from "preact/hooks";
import { play } from "./sound.ts";
import "./trouble_banner.css";
import {
  forgetEnded,
  isCalm,
  isNews,
  keyOf,
  noted,
  sayTrouble,
  type Trouble,
  toggleTroubles,
  useTroubles,
} from "./troubles.ts";

const ROWS_MOST = 4;

/** The loudest thing in the room: what is broken in the way of an alert. It goes when that is mended. */
export function TroubleBanner() {
  const words = useWords().trouble;
  const troubles = useTroubles();
  const seen = useStore(noted);
  const isOpen = isNews(troubles, seen);
  const keys = troubles.map(keyOf).join();
  useSound(troubles, keys);
  if (troubles.length === 0) return null;
  const calm = troubles.every(isCalm) ? "calm" : "";
  const shown = troubles.slice(0, ROWS_MOST);
  return (
    <section class={`trouble-banner ${calm} ${isOpen ? "" : "shrunk"}`} aria-label={words.title}>
      <Icon name="warn" />
      {isOpen ? (
        // Only the words, which stay as they are: an age would be read out every second.
        <div class="troubles" role="alert">
          {shown.map((trouble) => (
            <TroubleRow key={keyOf(trouble)} trouble={trouble} />
          ))}
          {troubles.length > ROWS_MOST ? <p>{words.more(troubles.length - ROWS_MOST)}</p> : null}
        </div>
      ) : (
        <p class="troubles">{words.count(troubles.length)}</p>
      )}
      <Age troubles={troubles} />
      <Button size="small" keycap="F8" aria-expanded={isOpen} onClick={toggleTroubles}>
        {isOpen ? words.shrink : words.expand}
      </Button>
    </section>
  );
}

function TroubleRow({ trouble }: { trouble: Trouble }) {
  const words = useWords();
  const { what, action } = sayTrouble(trouble, words);
  return (
    <p data-trouble={trouble.kind}>
      <b>{what}</b> <span class="since">{words.trouble.since(timeOfDay(trouble.since))}</span>
      <span class="action">{action}</span>
    </p>
  );
}

function Age({ troubles }: { troubles: Trouble[] }) {
  const first = Math.min(...troubles.map(({ since }) => Date.parse(since)));
  return (
    <span class="age" aria-hidden="true">
      {running((serverNow() - first) / 1000)}
    </span>
  );
}

/** Sound at each new one; again every half minute while nobody has taken note. */
function useSound(troubles: Trouble[], keys: string): void {
  const open = useStore(noted);
  useEffect(() => {
    forgetEnded(troubles);
    const isLoud = () => troubles.some((one) => !isCalm(one) && !noted.get().has(keyOf(one)));
    if (!isLoud()) return;
    play("critical");
    const timer = window.setInterval(() => isLoud() && play("critical"), 30_000);
    return () => window.clearInterval(timer);
  }, [keys, open]);
}
