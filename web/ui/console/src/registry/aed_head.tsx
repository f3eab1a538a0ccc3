import { serverNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { AedMark } from "@shared/parts/aed_mark.tsx";
import { Chip, Segments } from "@shared/parts/controls.tsx";
import type { OwnAed } from "@shared/shapes.ts";
import type { Words } from "@shared/words/zh.ts";
import { useEffect } from "preact/hooks";
import { drawnState, dueText, usableText } from "./aed_words.ts";
import type { Asked } from "./asking.ts";
import { showOnMap, useScene } from "./scene.ts";
import { setFilter } from "./where.ts";

export type TabName = keyof Words["registry"]["aed"]["tabs"];
export const TABS: readonly TabName[] = ["record", "keeping", "checks", "reports", "uses", "history"];

export interface TabProps {
  asked: Asked<OwnAed> & { value: OwnAed };
}

/** Name, state and tabs: the head of the right column whatever tab is open. */
export function AedHead({ aed, tab }: { aed: OwnAed; tab: TabName }) {
  const words = useWords();
  const now = serverNow();
  const due = dueText(aed, words, now);
  const isOwn = aed.version !== undefined;
  const isDoubted = aed.trust === "suspect" || aed.trust === "dead";
  return (
    <>
      <div class="reg-head">
        <AedMark state={drawnState(aed, now)} size={30} label={usableText(aed, words)} />
        <div>
          <h1 class="ellipsis">{aed.name}</h1>
          <p class="ellipsis">{aed.address ?? ""}</p>
        </div>
      </div>
      <div class="reg-chips">
        <Chip look={aed.usable === "yes" && aed.status === "in_service" ? "aed" : "plain"}>
          {usableText(aed, words)}
        </Chip>
        <Chip look={isDoubted ? "warn" : "plain"}>{words.registry.trust[aed.trust]}</Chip>
        {due ? <Chip look={due.isLate && !isDoubted ? "warn" : "plain"}>{due.text}</Chip> : null}
        {aed.is_invented ? <Chip look="outlined">{words.parts.invented}</Chip> : null}
      </div>
      {isOwn ? (
        <div class="reg-tabs">
          <Segments<TabName>
            label={words.registry.aed.tabsLabel}
            value={tab}
            options={TABS.map((value) => ({ value, text: words.registry.aed.tabs[value] }))}
            onChange={(value) => setFilter("tab", value)}
          />
        </div>
      ) : (
        <p class="reg-note">{words.registry.foreign}</p>
      )}
    </>
  );
}

/** The device stands out on the map while its column is open. */
export function useAedScene({ value: aed }: TabProps["asked"]): void {
  useScene(
    () => ({
      marks: {
        aedTiles: true,
        aeds: [
          {
            ...{ id: aed.id, position: aed.position, name: aed.name, planned: true, above: aed.name },
            state: drawnState(aed, serverNow()),
          },
        ],
      },
    }),
    [aed],
  );
  useEffect(() => showOnMap([aed.position]), [aed.id]);
}
