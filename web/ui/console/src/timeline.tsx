import { timeOfDay } from "@shared/clock.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Alert, Line, Reservation } from "@shared/shapes.ts";
import { useState } from "preact/hooks";
import { strikeLine } from "./actions.ts";
import { takeApart } from "./duplicates.tsx";
import { isSystemLine, lineText } from "./line_text.ts";
import { nameIn } from "./names.ts";
import { complain } from "./toast.ts";

/** Where a line's ids and codes get their names from. */
interface Known {
  alerts: readonly Alert[];
  reservations: readonly Reservation[];
}

/** What happened, newest first; lines are struck, never deleted. */
export function Timeline({ lines, ...known }: { lines: readonly Line[] } & Known) {
  const words = useWords().incident;
  const [withSystem, setWithSystem] = useState(false);
  const shown = lines.filter((line) => withSystem || !isSystemLine(line)).reverse();
  return (
    <section aria-label={words.timeline}>
      <div class="group-title">
        <h2>{words.timeline}</h2>
        <button
          type="button"
          class="link-button right"
          aria-pressed={withSystem}
          onClick={() => setWithSystem(!withSystem)}
        >
          {withSystem ? words.hideSystem : words.showSystem}
        </button>
      </div>
      <ol class="timeline">
        {shown.map((line) => (
          <TimelineRow key={line.id} line={line} known={known} />
        ))}
      </ol>
    </section>
  );
}

function TimelineRow({ line, known: { alerts, reservations } }: { line: Line; known: Known }) {
  const words = useWords();
  const latin = useLanguage() === "en";
  const nameOf = (id: string, known: string) => {
    const asked = alerts.find((alert) => alert.responder === id);
    if (asked) return nameIn(asked, latin);
    const goods = reservations.find(({ item }) => item === id);
    return goods ? nameIn({ name: goods.item_name, name_en: goods.item_name_en }, latin) : known;
  };
  const { actor, text, icon } = lineText(line, words, nameOf);
  return (
    <li data-kind={line.kind}>
      <time dateTime={line.at}>{timeOfDay(line.at)}</time>
      <Icon name={icon} size={14} />
      <span class={`ellipsis ${line.struck_at ? "struck" : ""}`} title={`${actor} ${text}`}>
        {actor ? <b>{actor} </b> : null}
        {text}
      </span>
      {line.kind === "merged" && line.args.is_kept === false ? (
        <button
          type="button"
          class="link-button strike"
          onClick={() => void takeApart(String(line.args.incident)).catch(complain)}
        >
          {words.incidentLife.duplicate.unmerge}
        </button>
      ) : null}
      {line.kind === "note" && !line.struck_at ? (
        <button
          type="button"
          class="link-button strike"
          onClick={() => void strikeLine(line.incident, line.id)}
        >
          {words.incident.log.strike}
        </button>
      ) : null}
    </li>
  );
}
