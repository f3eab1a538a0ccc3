import { useWords } from "@shared/language.ts";
import type { OwnAed } from "@shared/shapes.ts";
import { AedChecks } from "./aed_checks.tsx";
import { TABS, type TabName, type TabProps } from "./aed_head.tsx";
import { AedHistory } from "./aed_history.tsx";
import { AedKeeping } from "./aed_keeping.tsx";
import { AedRecord } from "./aed_record.tsx";
import { AedReports } from "./aed_reports.tsx";
import { AedUses } from "./aed_uses.tsx";
import { useAsked } from "./asking.ts";
import { Bars, Blank } from "./list_pane.tsx";
import { useMayChange } from "./rights.ts";
import { useScene } from "./scene.ts";
import { Side } from "./side.tsx";
import { useWhere } from "./where.ts";

/** The right column of the AED page: one device, or a new one. */
export function AedSide() {
  const item = useWhere()?.item ?? null;
  if (item === "new") return <AedRecord key="new" asked={null} />;
  return item ? <OneAed key={item} id={item} /> : <NoAed />;
}

function NoAed() {
  const words = useWords().registry;
  useScene(() => ({ marks: { aedTiles: true } }), []);
  return (
    <Side label={words.chooseAed} title="">
      <Blank title={words.chooseAed} line={words.chooseAedMore} />
    </Side>
  );
}

function OneAed({ id }: { id: string }) {
  const words = useWords().registry;
  const asked = useAsked<OwnAed>(`/aeds/${id}`);
  const wanted = useWhere()?.filters.tab;
  const aed = asked.value;
  if (!aed) {
    return (
      <Side label={words.pages.aeds} title="">
        {asked.failed ? <Blank title={words.failed} /> : <Bars />}
      </Side>
    );
  }
  const isOwn = aed.version !== undefined;
  const tab = isOwn ? (TABS.find((known) => known === wanted) ?? "record") : "record";
  return <Tab tab={tab} asked={{ ...asked, value: aed }} isOwn={isOwn} />;
}

function Tab({ tab, asked, isOwn }: TabProps & { tab: TabName; isOwn: boolean }) {
  const mayChange = useMayChange("aeds");
  if (tab === "record") return <AedRecord asked={asked} isReadOnly={!isOwn || !mayChange} />;
  if (tab === "keeping") return <AedKeeping asked={asked} />;
  if (tab === "checks") return <AedChecks asked={asked} />;
  if (tab === "reports") return <AedReports asked={asked} />;
  return tab === "uses" ? <AedUses asked={asked} /> : <AedHistory asked={asked} />;
}
