import { serverNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { AedMark } from "@shared/parts/aed_mark.tsx";
import { Chip, Segments } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { OwnAed, QueuedReport } from "@shared/shapes.ts";
import { createStore, useStore } from "@shared/store.ts";
import { wordFor } from "@shared/words/zh.ts";
import { drawnState, dueText, usableText } from "./aed_words.ts";
import { type Listed, useList, useSettled } from "./asking.ts";
import { Blank, Filter, ListPane, Row, Rows, SearchRow } from "./list_pane.tsx";
import { useMayChange } from "./rights.ts";
import { dayMinute } from "./when.ts";
import { go, useWhere } from "./where.ts";

const searched = createStore("");

/** The devices of one's organisations, or the reports that wait. */
export function AedList() {
  const words = useWords().registry;
  const route = useWhere();
  const reports = useList<QueuedReport>("/aed-reports", { verdict: "open" });
  const shown = route?.part === "reports" ? "reports" : "devices";
  return (
    <ListPane title={words.aed.list}>
      <div class="reg-parts">
        <Segments<"devices" | "reports">
          label={words.aed.reportsLabel}
          value={shown}
          options={[
            { value: "devices", text: words.aed.devices },
            {
              value: "reports",
              text: `${words.aed.reports} ${words.count(reports.items.length, reports.hasMore)}`,
              warn: reports.items.length > 0,
            },
          ]}
          onChange={(part) => go({ part: part === "reports" ? "reports" : null, item: null })}
        />
      </div>
      {shown === "reports" ? <Reports listed={reports} /> : <Devices />}
    </ListPane>
  );
}

function Devices() {
  const words = useWords();
  const { trust, status, due } = useWhere()?.filters ?? {};
  const text = useStore(searched);
  const q = useSettled(text);
  const listed = useList<OwnAed>("/aeds", { own: true, q, trust, status, due });
  const own = words.registry;
  const mayChange = useMayChange("aeds");
  return (
    <>
      <SearchRow
        text={text}
        onText={searched.set}
        placeholder={own.searchAeds}
        newLabel={own.aed.new}
        onNew={mayChange ? () => go({ part: null, item: "new" }) : undefined}
      />
      <div class="reg-filters">
        <Filter name="trust" label={own.trustLabel} options={entries(own.trust)} />
        <Filter name="status" label={own.statusLabel} options={entries(own.status)} />
        <Filter name="due" label={own.due} options={[{ value: "true", text: own.dueOnly }]} />
      </div>
      <Rows listed={listed} label={own.aed.list} row={(aed) => <AedRow key={aed.id} aed={aed} />} />
    </>
  );
}

const entries = (words: Readonly<Record<string, string>>) =>
  Object.entries(words).map(([value, text]) => ({ value, text }));

function AedRow({ aed }: { aed: OwnAed }) {
  const words = useWords();
  const now = serverNow();
  const item = useWhere()?.item;
  const due = dueText(aed, words, now);
  const isDoubted = aed.trust === "suspect" || aed.trust === "dead";
  const trust = words.registry.trust[aed.trust];
  return (
    <Row
      id={aed.id}
      lead={<AedMark state={drawnState(aed, now)} size={26} />}
      title={aed.name}
      line={aed.address ?? aed.location_note ?? ""}
      chips={
        <>
          <Chip look={isDoubted ? "warn" : "plain"}>
            {isDoubted ? `${trust} · ${whyNot(aed, words)}` : trust}
          </Chip>
          {isDoubted ? null : <Chip>{usableText(aed, words)}</Chip>}
          {due && !isDoubted ? <Chip>{due.text}</Chip> : null}
        </>
      }
      isCurrent={item === aed.id}
      onOpen={() => go({ item: aed.id })}
    />
  );
}

const whyNot = (aed: OwnAed, words: ReturnType<typeof useWords>): string =>
  wordFor(words.registry.reason, aed.usable_reason) || words.registry.status[aed.status];

function Reports({ listed }: { listed: Listed<QueuedReport> }) {
  const words = useWords().registry;
  const item = useWhere()?.item;
  return (
    <Rows
      listed={listed}
      label={words.aed.reports}
      nothing={<Blank title={words.aed.noOpenReports} />}
      row={(report) => (
        <Row
          key={report.id}
          id={report.aed.id}
          lead={<Icon name="note" size={20} />}
          title={report.aed.name}
          right={dayMinute(report.at)}
          line={report.note || (report.signed_in ? words.aed.signedIn : words.aed.anonymous)}
          chips={<Chip look="warn">{wordFor(words.aed.report, report.kind)}</Chip>}
          isCurrent={item === report.aed.id}
          onOpen={() => go({ item: report.aed.id, filters: { tab: "reports" } })}
        />
      )}
    />
  );
}
