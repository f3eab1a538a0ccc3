import { Problem, post } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import { Button, Chip } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Kind, PolicyVersion, Severity, ShippedPolicy } from "@shared/shapes.ts";
import { type Words, wordFor } from "@shared/words/zh.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import { complain, say } from "../toast.ts";
import { touch } from "./asking.ts";
import { useSubmit } from "./drafts.ts";
import { Trouble } from "./form_parts.tsx";
import { differences } from "./policy_fields.ts";
import { PolicyNumbers } from "./policy_parts.tsx";
import { useMayChange } from "./rights.ts";
import { Side } from "./side.tsx";
import { type ReportRef, reportPage, simulate, useReport } from "./simulating.ts";
import { SimulationForm, type SimulationWish, USUAL } from "./simulation_form.tsx";
import { dayMinute } from "./when.ts";
import { go } from "./where.ts";

/** A policy that every installation has: to read, and to draft from. */
export function ShippedView({ policy, isDefault }: { policy: ShippedPolicy; isDefault: boolean }) {
  const own = useWords().office.policy;
  const mayChange = useMayChange("policies");
  const isOurs = policy.chooser === "expected_survival" || policy.chooser === "lexicographic";
  return (
    <Side
      label={policy.name}
      title={wordFor(own.names, policy.name)}
      isText
      actions={
        mayChange ? (
          <Button look="primary" keycap="N" data-new="" onClick={() => go({ item: `draft:${policy.name}` })}>
            {own.draft}
          </Button>
        ) : null
      }
    >
      <p>{wordFor(own.chooser, policy.chooser)}</p>
      <p class="reg-hint">{isDefault ? own.inUse : isOurs ? "" : own.stylised}</p>
      <PolicyNumbers document={policy.document} />
    </Side>
  );
}

/** One version of the office: what it changes, its simulation, and letting it hold. */
export function VersionView({ version, shipped }: { version: PolicyVersion; shipped: ShippedPolicy[] }) {
  const words = useWords();
  const own = words.office.policy;
  const mayChange = useMayChange("policies");
  const { isBusy, problem, run } = useSubmit();
  const [report, setReport] = useReport(version);
  const [wish, setWish] = useState(USUAL);
  const { share, start } = useSimulation(version, wish, setReport);
  const isRunning = share !== null;
  const { base, fields } = differences(version.document, shipped);
  const act = (verb: "publish" | "retire", done: string) =>
    run(async (key) => {
      await post(`/policies/${version.id}/${verb}`, {}, { key });
      say(done);
      touch();
    });
  const label = `${version.name} v${version.version}`;
  return (
    <Side
      label={label}
      title={label}
      isText
      notice={<Refused problem={problem} />}
      actions={
        mayChange ? (
          <Verbs
            version={version}
            isBusy={isBusy || isRunning}
            hasReport={Boolean(report)}
            onSimulate={start}
            onPublish={() => void act("publish", own.published(label))}
            onRetire={() => void act("retire", own.retired(label))}
          />
        ) : null
      }
    >
      <div class="reg-chips flush">
        <Chip look="outlined">{wordFor(own.status, version.status)}</Chip>
        <Chip>{own.changed(fields.length)}</Chip>
        {boundsOf(version, words).map((text) => (
          <Chip key={text}>{text}</Chip>
        ))}
      </div>
      {version.note ? <p class="task-what">{version.note}</p> : null}
      <ReportRow share={share} report={report} />
      {mayChange && version.status === "draft" ? (
        <SimulationForm wish={wish} onWish={setWish} isBusy={isRunning} />
      ) : null}
      <PolicyNumbers document={version.document} base={base?.document ?? null} changed={fields} />
      <p class="reg-hint">{own.digest(version.digest.slice(0, 16))}</p>
    </Side>
  );
}

/** Where and when it holds, each in a few words; what is not limited is not said. */
function boundsOf(version: PolicyVersion, words: Words): string[] {
  const own = words.office.policy;
  const kinds = version.kinds.map((kind) => words.domain.kind[kind as Kind] ?? kind);
  const levels = version.severities.map((level) => words.domain.severity[level as Severity]);
  return [
    ...(kinds.length ? kinds : [own.everyKind]),
    ...levels,
    version.area ? own.someArea : "",
    version.effective_from
      ? own.holds(dayMinute(version.effective_from), dayMinute(version.effective_until))
      : "",
  ].filter(Boolean);
}

/** A refusal in plain words: without a simulation nobody knows what would happen. */
function Refused({ problem }: { problem: Problem | null }) {
  const own = useWords().office.policy;
  if (problem?.code !== "simulation_missing") return <Trouble problem={problem} />;
  return (
    <div class="reg-trouble" role="alert">
      <Icon name="warn" />
      <p>{own.publishNeeds}</p>
    </div>
  );
}

/** How far the simulation is, or the way to its report. */
function ReportRow({ share, report }: { share: number | null; report: ReportRef | null }) {
  const own = useWords().office.policy;
  const said = share !== null ? own.simulating : report ? own.simulated : own.noReport;
  return (
    <div class="policy-report" data-report={report?.id}>
      <p role="status">{said}</p>
      {share !== null ? <progress max={1} value={share} aria-label={own.simulating} /> : null}
      {report && share === null ? (
        <a href={reportPage(report)} target="_blank" rel="noreferrer">
          <Icon name="note" size={14} />
          {own.report}
        </a>
      ) : null}
    </div>
  );
}

/** Runs one simulation at a time; `share` is null while none runs. */
function useSimulation(version: PolicyVersion, wish: SimulationWish, onReport: (report: ReportRef) => void) {
  const own = useWords().office.policy;
  const [share, setShare] = useState<number | null>(null);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), [version.id]);
  const start = async () => {
    stop.current = new AbortController();
    setShare(0);
    try {
      const report = await simulate(version, wish, setShare, stop.current.signal);
      if (!report) return;
      onReport(report);
      say(own.simulated);
    } catch (error) {
      if (error instanceof Problem) complain(error);
    } finally {
      setShare(null);
    }
  };
  return { share, start: () => void start() };
}

interface VerbsProps {
  version: PolicyVersion;
  isBusy: boolean;
  hasReport: boolean;
  onSimulate: () => void;
  onPublish: () => void;
  onRetire: () => void;
}

function Verbs({ version, isBusy, hasReport, onSimulate, onPublish, onRetire }: VerbsProps) {
  const own = useWords().office.policy;
  if (version.status === "published") {
    return (
      <Button disabled={isBusy} onClick={onRetire}>
        {own.retire}
      </Button>
    );
  }
  if (version.status === "retired") return null;
  return (
    <>
      <Button look={hasReport ? "default" : "primary"} disabled={isBusy} onClick={onSimulate}>
        {own.simulate}
      </Button>
      <Button
        look={hasReport ? "primary" : "default"}
        disabled={isBusy}
        title={own.publishAsk}
        onClick={onPublish}
      >
        {own.publish}
      </Button>
    </>
  );
}
