import { useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import type { AedChange } from "@shared/shapes.ts";
import type { Words } from "@shared/words/zh.ts";
import { AedHead, type TabProps, useAedScene } from "./aed_head.tsx";
import { reasonText, valueText } from "./aed_words.ts";
import { useList } from "./asking.ts";
import { Bars } from "./list_pane.tsx";
import { Side } from "./side.tsx";
import { dayMinute } from "./when.ts";

/** What changed, when, by whom: from what to what. */
export function AedHistory({ asked }: TabProps) {
  useAedScene(asked);
  const aed = asked.value;
  const words = useWords().registry;
  const listed = useList<AedChange>(`/aeds/${aed.id}/history`, {});
  return (
    <Side label={aed.name} head={<AedHead aed={aed} tab="history" />} isText>
      {listed.isFirst ? <Bars /> : null}
      {!listed.isFirst && listed.items.length === 0 ? <p class="reg-note">{words.aed.noHistory}</p> : null}
      <ol class="reg-log">
        {listed.items.map((entry) => (
          <Entry key={entry.version} entry={entry} />
        ))}
      </ol>
      {listed.hasMore ? (
        <Button size="small" class="reg-more" onClick={listed.more}>
          {words.more}
        </Button>
      ) : null}
    </Side>
  );
}

function Entry({ entry }: { entry: AedChange }) {
  const words = useWords();
  const own = words.registry;
  return (
    <li>
      <time>{dayMinute(entry.at)}</time>
      <div>
        <p>
          <b>{reasonText(entry.reason, words)}</b> · {entry.actor?.name ?? own.aed.system}
        </p>
        {changesText(entry, own).map(([field, before, after]) => (
          <p key={field}>
            {own.aed.fields[field] ?? field} <s>{before}</s> → {after}
          </p>
        ))}
      </div>
    </li>
  );
}

/** What differs for a reader: a change below the minute does not. */
const changesText = ({ changed }: AedChange, words: Words["registry"]) =>
  Object.entries(changed)
    .map(([field, [before, after]]) => [
      field,
      valueText(field, before, words),
      valueText(field, after, words),
    ])
    .filter(([, before, after]) => before !== after) as [string, string, string][];
