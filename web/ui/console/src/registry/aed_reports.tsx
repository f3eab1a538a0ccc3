import { post } from "@shared/api.ts";
import { serverNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Button, Chip } from "@shared/parts/controls.tsx";
import type { AedReport, Page } from "@shared/shapes.ts";
import { wordFor } from "@shared/words/zh.ts";
import { useEffect } from "preact/hooks";
import { say } from "../toast.ts";
import { AedHead, type TabProps } from "./aed_head.tsx";
import { drawnState } from "./aed_words.ts";
import { touch, useAsked } from "./asking.ts";
import { useDraft, useSubmit } from "./drafts.ts";
import { allOf, type FieldSpec } from "./field_values.ts";
import { Fields, Trouble } from "./form_parts.tsx";
import { Bars } from "./list_pane.tsx";
import { showOnMap, useScene } from "./scene.ts";
import { Side } from "./side.tsx";
import { dayMinute } from "./when.ts";

const SPECS: readonly FieldSpec[] = [
  { name: "note", kind: "area" },
  { name: "status", kind: "choice", options: ["auto", "in_service", "out_of_service"] },
];

/** What people say is wrong with it; an open report is settled here. */
export function AedReports({ asked }: TabProps) {
  const aed = asked.value;
  const words = useWords().registry.aed;
  const known = useAsked<Page<AedReport>>(`/aeds/${aed.id}/reports`);
  const reports = known.value?.items ?? [];
  useReportScene(asked, reports);
  return (
    <Side label={aed.name} head={<AedHead aed={aed} tab="reports" />}>
      {known.value ? null : <Bars />}
      {known.value && reports.length === 0 ? <p class="reg-note">{words.noReports}</p> : null}
      {reports.map((report, index) =>
        report.verdict === "open" ? (
          <OpenReport
            key={report.id}
            aed={aed.id}
            report={report}
            isFirst={reports.findIndex(({ verdict }) => verdict === "open") === index}
          />
        ) : null,
      )}
      <ol class="reg-log">
        {reports
          .filter(({ verdict }) => verdict !== "open")
          .map((report) => (
            <Settled key={report.id} report={report} />
          ))}
      </ol>
    </Side>
  );
}

/** The device, and numbered where people say that it is now. */
function useReportScene({ value: aed }: TabProps["asked"], reports: readonly AedReport[]): void {
  const words = useWords().registry.aed;
  const open = reports.filter(({ verdict, position }) => verdict === "open" && position !== null);
  const places = open.flatMap(({ position }) => position ?? []);
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
        ranks: places.map((position, index) => ({
          ...{
            id: String(index),
            position,
            rank: index + 1,
            title: `${index + 1} ${words.reportedPlace}`,
            selected: true,
          },
        })),
      },
    }),
    [aed, places.length, words],
  );
  useEffect(() => showOnMap([aed.position, ...places]), [aed.id, places.length]);
}

interface ReportProps {
  aed: string;
  report: AedReport;
  /** Ctrl+Enter settles the first. */
  isFirst: boolean;
}

function OpenReport({ aed, report, isFirst }: ReportProps) {
  const words = useWords().registry;
  const draft = useDraft(`settle ${report.id}`, SPECS, { status: "auto" });
  const { isBusy, problem, run } = useSubmit();
  const settle = (verdict: "accepted" | "rejected") => {
    const { status, note } = allOf(SPECS, draft.texts);
    const body = { verdict, ...(note ? { note } : {}), ...(status === "auto" ? {} : { status }) };
    return run(async (key) => {
      await post(`/aeds/${aed}/reports/${report.id}/settle`, body, { key });
      draft.clear();
      say(words.aed.settled(words.aed.verdict[verdict]));
      touch();
    }, body);
  };
  const labels = { note: words.aed.settleNote, status: words.aed.settleStatus };
  return (
    <section class="reg-report" aria-label={wordFor(words.aed.report, report.kind)}>
      <p class="head">
        <Chip look="warn">{wordFor(words.aed.report, report.kind)}</Chip>
        <span>
          {words.by(report.signed_in ? words.aed.signedIn : words.aed.anonymous, dayMinute(report.at))}
        </span>
      </p>
      {report.note ? <p class="said">{report.note}</p> : null}
      {report.position ? <p>{`${words.aed.reportedPlace} ${placeText(report, words)}`}</p> : null}
      <Fields
        draft={draft}
        names={["note", "status"]}
        labels={labels}
        word={(_, option) => (option === "auto" ? words.aed.settleAuto : wordFor(words.status, option))}
        problem={problem}
      />
      <Trouble problem={problem} labels={labels} />
      <div class="reg-line">
        <Button
          look={isFirst ? "primary" : "default"}
          disabled={isBusy}
          {...(isFirst ? { keycap: "Ctrl+⏎", "data-save": "" } : {})}
          onClick={() => void settle("accepted")}
        >
          {words.aed.accept}
        </Button>
        <Button disabled={isBusy} onClick={() => void settle("rejected")}>
          {words.aed.reject}
        </Button>
      </div>
    </section>
  );
}

const placeText = ({ position }: AedReport, words: { point: (lat: string, lon: string) => string }) =>
  position ? words.point(position.coordinates[1].toFixed(5), position.coordinates[0].toFixed(5)) : "";

function Settled({ report }: { report: AedReport }) {
  const words = useWords().registry;
  return (
    <li>
      <time>{dayMinute(report.at)}</time>
      <div>
        <p>
          <b>{wordFor(words.aed.report, report.kind)}</b> · {words.aed.verdict[report.verdict]}
          {report.settled_by ? ` · ${report.settled_by.name}` : ""}
        </p>
        {report.note ? <p>{report.note}</p> : null}
        {report.settled_note ? <p>{report.settled_note}</p> : null}
      </div>
    </li>
  );
}
