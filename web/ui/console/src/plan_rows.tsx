import { minutesSeconds } from "@shared/clock.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { Avatar, freshness } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Candidate, Plan } from "@shared/shapes.ts";
import { wordFor } from "@shared/words/zh.ts";
import { useState } from "preact/hooks";
import { nameIn, skillText } from "./names.ts";
import { RoleMark } from "./people_list.tsx";
import { chartLength, gainShare, percent, wayOf } from "./plan_chart.ts";
import { byReason, countsMinutes, gainText, ownSentence, type ReasonGroup } from "./plan_people.ts";

interface PlanRowProps {
  candidate: Candidate;
  plan: Plan;
  ticked: boolean;
  onToggle: (id: string) => void;
}

/** Somebody who would be asked: what for, when there, how much it matters. */
export function PlanRow({ candidate, plan, ticked, onToggle }: PlanRowProps) {
  const words = useWords();
  const language = useLanguage();
  const name = nameIn(candidate, language === "en");
  const source = candidate.position_source
    ? words.incident.position[candidate.position_source as "live"]
    : "";
  const age =
    candidate.position_age_s === null ? source : `${source} ${words.parts.ago(candidate.position_age_s)}`;
  return (
    <label class="plan-row">
      <input
        type="checkbox"
        checked={ticked}
        aria-label={words.incident.plan.tick(name)}
        onChange={() => onToggle(candidate.responder)}
      />
      <Avatar name={name} state={freshness(candidate.position_age_s)} />
      <span class="what">
        <span class="who">
          <b class="ellipsis">{name}</b>
          {candidate.role ? <RoleMark role={candidate.role} /> : null}
          <span class="meta ellipsis">
            {[skillText(candidate.skills, words), age, candidate.is_invented ? words.parts.invented : ""]
              .filter(Boolean)
              .join(" · ")}
          </span>
        </span>
        <span class="sentence">{ownSentence(candidate, language)}</span>
        <WayBar candidate={candidate} plan={plan} />
      </span>
      <Worth candidate={candidate} plan={plan} />
    </label>
  );
}

/** When there, and below how much the plan would lose without the person. */
function Worth({ candidate, plan }: { candidate: Candidate; plan: Plan }) {
  const words = useWords().decision;
  const isMinutes = countsMinutes(plan);
  const gain = gainText(candidate.marginal, isMinutes);
  return (
    <span class="worth">
      <b>{candidate.arrives_s === null ? "–" : minutesSeconds(candidate.arrives_s)}</b>
      {gain ? (
        <span title={isMinutes ? words.gainMinutes(gain) : words.gainOf(gain)}>
          <i aria-hidden="true">
            <i style={{ width: `${Math.round(gainShare(candidate, plan) * 100)}%` }} />
          </i>
          <span class="sr-only">{words.gain} </span>+{gain}
        </span>
      ) : null}
    </span>
  );
}

const LOOKS = { wait: "wait", walk: "ink", fetch: "fetch", carry: "aed", inside: "inside" } as const;
const Y = 6;

/** The way against the clock: waiting dotted, walking solid, to the AED dotted green, the ambulance across. */
function WayBar({ candidate, plan }: { candidate: Candidate; plan: Plan }) {
  const words = useWords().decision;
  const way = wayOf(candidate, plan);
  if (!way) return null;
  const length = chartLength(plan);
  const ambulance = percent(plan.scene.ambulance_s, length);
  const label = words.barLabel(minutesSeconds(way.arrivesS), minutesSeconds(plan.scene.ambulance_s));
  return (
    <svg class="way-bar" width="100%" height="12" role="img" aria-label={label}>
      <title>{label}</title>
      <rect x="0" y={Y - 1} width="100%" height="2" fill="var(--sunken)" />
      {way.stretches.map(({ fromS, toS, look }) => (
        <line
          key={look}
          class={LOOKS[look]}
          x1={percent(fromS, length)}
          x2={percent(toS, length)}
          y1={Y}
          y2={Y}
        />
      ))}
      <line x1={ambulance} x2={ambulance} y1="0" y2="12" class="ambulance-line" />
      {way.pickupS === null ? null : (
        <circle cx={percent(way.pickupS, length)} cy={Y} r="3.5" class="dot aed" />
      )}
      <circle
        cx={percent(way.arrivesS, length)}
        cy={Y}
        r="4"
        class={`dot ${candidate.role === "via_aed" ? "aed" : "ink"} end`}
      />
    </svg>
  );
}

/** Those not chosen, folded by reason; each opens to its people with their sentences. */
export function NotAsked({ people, aside }: { people: Candidate[]; aside: Record<string, number> }) {
  const words = useWords().decision;
  const groups = byReason(people);
  const others = Object.entries(aside);
  if (groups.length + others.length === 0) return null;
  const count = people.length + others.reduce((sum, [, many]) => sum + many, 0);
  const reasons = new Set([...groups.map(({ reason }) => reason), ...others.map(([reason]) => reason)]);
  return (
    <section aria-label={words.notChosen}>
      <div class="group-title">
        <h2>{words.notChosen}</h2>
        <span>{words.notChosenCounts(count, reasons.size)}</span>
      </div>
      {groups.map((group) => (
        <Group key={group.reason} group={group} />
      ))}
      {others.map(([reason, many]) => (
        <AsideLine key={reason} reason={reason} many={many} />
      ))}
    </section>
  );
}

/** How many more were within reach and not weighed, for one reason. */
export function AsideLine({ reason, many }: { reason: string; many: number }) {
  const words = useWords();
  return (
    <p class="plan-note" data-aside={reason}>
      {[wordFor(words.domain.reason, reason), words.decision.people(many)].join(" · ")}
    </p>
  );
}

const FEW = 12;

function Group({ group }: { group: ReasonGroup }) {
  const words = useWords();
  const [isOpen, setOpen] = useState(false);
  const [all, setAll] = useState(false);
  const shown = all ? group.people : group.people.slice(0, FEW);
  const title = wordFor(words.domain.reason, group.reason);
  return (
    <div class="reason-group">
      <button
        type="button"
        class="fold"
        aria-expanded={isOpen}
        data-reason={group.reason}
        onClick={() => setOpen(!isOpen)}
        onKeyDown={(event) => onFoldKey(event, setOpen)}
      >
        <Icon name="chevron" size={14} />
        <b class="ellipsis">{title}</b>
        <span>{words.decision.people(group.people.length)}</span>
        <em>{group.nearestS === null ? "–" : minutesSeconds(group.nearestS)}</em>
      </button>
      {isOpen ? (
        <ul>
          {shown.map((person) => (
            <LeftOut key={person.responder} person={person} />
          ))}
          {group.people.length > shown.length ? (
            <li>
              <button type="button" class="link-button" onClick={() => setAll(true)}>
                {words.decision.more(group.people.length - shown.length)}
              </button>
            </li>
          ) : null}
        </ul>
      ) : null}
    </div>
  );
}

/** Arrows open and close, as in a tree. */
export function onFoldKey(event: KeyboardEvent, setOpen: (open: boolean) => void): void {
  if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
  event.preventDefault();
  event.stopPropagation();
  setOpen(event.key === "ArrowRight");
}

function LeftOut({ person }: { person: Candidate }) {
  const language = useLanguage();
  const walk = person.direct_s ?? person.travel_s;
  return (
    <li class="left-out">
      <b>{nameIn(person, language === "en")}</b>
      <span>{ownSentence(person, language)}</span>
      <em>{walk === null ? "–" : minutesSeconds(walk)}</em>
    </li>
  );
}
