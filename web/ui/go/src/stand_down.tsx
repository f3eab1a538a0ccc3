import { timeOfDay } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import type { StandDown } from "@shared/shapes.ts";
import { useEffect } from "preact/hooks";
import { stopSignal } from "./alarm.ts";

interface Props {
  standDown: StandDown;
  /** Name of the AED that was carried. */
  carried: string | null;
  phone: string | null;
  onRead: () => void;
}

/** Stop: never green, never red, and it stays until it is read. */
export function StandDownScreen({ standDown, carried, phone, onRead }: Props) {
  const all = useWords();
  const words = all.go.standDown;
  const reason = reasonText(standDown.reason, words.reason);
  const exercise = standDown.incident?.exercise ?? false;
  useEffect(stopSignal, [standDown.alert]);
  return (
    <main
      class={`stand-down ${exercise ? "exercise" : ""}`}
      aria-label={words.title.join(" ")}
      data-testid="stand-down"
    >
      <svg class="stop-sign" viewBox="0 0 78 78" aria-hidden="true">
        <path d="M23 2.5h32L75.5 23v32L55 75.5H23L2.5 55V23Z" />
        <path d="M24 39h30" />
      </svg>
      {exercise ? <span class="alert-drill">{all.parts.exercise}</span> : null}
      <h1>
        {words.title.map((line) => (
          <span key={line}>{line}</span>
        ))}
      </h1>
      <p class="stand-down-why">{[reason, words.thanks].filter(Boolean).join(all.parts.sentenceGap)}</p>
      <dl class="facts">
        <div>
          <dt>{words.at}</dt>
          <dd>{timeOfDay(standDown.at)}</dd>
        </div>
        {carried ? (
          <div>
            <dt>{words.aed}</dt>
            <dd>{words.putBack(carried)}</dd>
          </div>
        ) : null}
      </dl>
      <div class="stand-down-end">
        <button type="button" class="accept" data-testid="stand-down-read" onClick={onRead}>
          {words.ok}
        </button>
        {phone ? <a href={`tel:${phone}`}>{words.call}</a> : null}
      </div>
    </main>
  );
}

/** A known code in words, or what the operator wrote; a code newer than this page says nothing. */
function reasonText(reason: string | null, known: Record<string, string>): string {
  if (!reason) return "";
  return known[reason] ?? (/^[a-z_]+$/.test(reason) ? "" : reason);
}
