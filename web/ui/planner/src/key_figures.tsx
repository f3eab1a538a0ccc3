import { useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import { useStore } from "@shared/store.ts";
import { count, meanByPart, PARTS, percent, worstHour } from "./hours.ts";
import { ask, plan } from "./plan_state.ts";
import { useHour } from "./when.ts";

/** The three figures of this hour, and the week in four parts. */
export function KeyFigures() {
  const all = useWords();
  const words = all.planner;
  const { coverage, question, problem } = useStore(plan);
  const { when } = useHour();
  const kind = words.demandKinds[coverage?.demand === "street" ? "street" : "building"];
  const share = coverage?.share;
  return (
    <aside class="panel right" data-testid="figures">
      {problem ? (
        <p class="gm-error" role="alert">
          <Icon name="warn" />
          {words.failed} · {problem.message}
        </p>
      ) : null}
      <Figure
        label={words.coverageAt(question.withinS / 60, when)}
        value={share == null ? "–" : `${percent(share)}%`}
        aside={coverage && share === null ? words.nothing : ""}
        testid="share"
      />
      <Figure
        label={words.uncovered(kind)}
        value={coverage ? count(coverage.buildings - coverage.covered) : "–"}
        aside={coverage ? words.ofAll(count(coverage.buildings)) : ""}
      />
      <Figure
        label={words.usableAeds}
        value={coverage ? count(coverage.aeds_used) : "–"}
        aside={coverage ? words.ofKnown(coverage.aeds_known) : ""}
        testid="used"
      />
      <WeekParts />
      <Worst />
    </aside>
  );
}

function Figure(props: { label: string; value: string; aside: string; testid?: string }) {
  return (
    <div class="figure">
      <p>{props.label}</p>
      <b data-testid={props.testid}>{props.value}</b>
      <small>{props.aside}</small>
    </div>
  );
}

function WeekParts() {
  const words = useWords().planner.parts;
  const { week } = useStore(plan);
  if (!week) return null;
  const means = meanByPart(week);
  return (
    <div class="parts">
      <p>
        {words.title} <small>{words.hint}</small>
      </p>
      {PARTS.map((part) => (
        <div key={part}>
          <span>{words[part]}</span>
          <i>
            <i style={{ width: `${means[part] * 100}%` }} />
          </i>
          <b>{percent(means[part])}%</b>
        </div>
      ))}
    </div>
  );
}

function Worst() {
  const words = useWords().planner;
  const { week } = useStore(plan);
  const { name } = useHour();
  if (!week) return null;
  const hour = worstHour(week);
  return (
    <div class="worst">
      <p>
        {words.worst}
        <b>
          {name(hour)} · {percent(week[hour] ?? 0)}%
        </b>
      </p>
      <Button size="small" onClick={() => ask({ hour })}>
        {words.showWorst}
      </Button>
    </div>
  );
}
