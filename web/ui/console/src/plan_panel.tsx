import { newKey } from "@shared/api.ts";
import { minutesSeconds } from "@shared/clock.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { Avatar, Button, freshness } from "@shared/parts/controls.tsx";
import type { Candidate, Incident, Plan } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { loadPlan, sendAlert } from "./actions.ts";
import { nameIn, skillText } from "./names.ts";
import { NotChosenList, RoleMark } from "./people_list.tsx";
import { plan as planStore, showPanel } from "./state.ts";
import { problemText } from "./toast.ts";

/** Who would be asked now, ticked; and why the others not. Nothing is sent before Enter. */
export function PlanPanel({ incident }: { incident: Incident }) {
  const [failed, setFailed] = useState<string | null>(null);
  const known = useStore(planStore);
  const plan = known?.incident === incident.id ? known.plan : null;
  useEffect(() => {
    setFailed(null);
    loadPlan(incident.id).catch((error: unknown) => setFailed(problemText(error)));
  }, [incident.id]);
  if (failed !== null) return <Blank title={failed} />;
  return plan ? <LoadedPlan key={plan.made_at} incident={incident} plan={plan} /> : <Bars />;
}

function Bars() {
  const words = useWords().incident.plan;
  return (
    <div class="side-scroll bars" role="status" aria-label={words.loading}>
      {[0, 1, 2, 3, 4].map((row) => (
        <i key={row} />
      ))}
    </div>
  );
}

function Blank({ title, line }: { title: string; line?: string }) {
  return (
    <div class="side-scroll blank" role="alert">
      <b>{title}</b>
      {line}
    </div>
  );
}

/** Which of the plan are ticked, and the sending of exactly that. */
function useSending(incident: Incident, plan: Plan) {
  const [ticked, setTicked] = useState(() => new Set(plan.chosen.map((candidate) => candidate.responder)));
  const [sending, setSending] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  // One key for each choice: pressing Enter twice alerts once.
  const keys = useRef(new Map<string, string>());
  const toggle = (id: string) =>
    setTicked((before) => {
      const next = new Set(before);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const asPlanned =
    ticked.size === plan.chosen.length && plan.chosen.every(({ responder }) => ticked.has(responder));
  const send = async () => {
    if (sending || ticked.size === 0) return;
    const responders = asPlanned ? null : [...ticked];
    const choice = responders ? responders.join() : "policy";
    const key = keys.current.get(choice) ?? newKey();
    keys.current.set(choice, key);
    setSending(true);
    try {
      await sendAlert(incident.id, responders, key);
    } catch (error) {
      setFailed(problemText(error));
      setSending(false);
    }
  };
  return { ticked, toggle, send, sending, failed, asPlanned };
}

function LoadedPlan({ incident, plan }: { incident: Incident; plan: Plan }) {
  const words = useWords().incident.plan;
  const { ticked, toggle, send, sending, failed, asPlanned } = useSending(incident, plan);
  const primary = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => primary.current?.querySelector("button")?.focus(), []);
  const viaAed = plan.chosen.filter((candidate) => candidate.role === "via_aed").length;
  return (
    <>
      <fieldset class="side-scroll" aria-label={words.title} onKeyDown={(event) => onPlanKey(event, send)}>
        <div class="group-title">
          <h2>{words.title}</h2>
          <span>{words.summary(plan.chosen.length, plan.chosen.length - viaAed, viaAed)}</span>
        </div>
        {plan.chosen.length === 0 ? <Blank title={words.nobody} line={words.nobodyLine} /> : null}
        {plan.chosen.map((candidate) => (
          <PlanRow
            key={candidate.responder}
            candidate={candidate}
            plan={plan}
            ticked={ticked.has(candidate.responder)}
            onToggle={toggle}
          />
        ))}
        <NotChosenList candidates={plan.excluded.filter((candidate) => candidate.reason !== null)} />
        <p class="plan-note">
          {[words.policy(plan.policy, Math.round(plan.ms)), plan.network === "estimate" ? words.estimate : ""]
            .filter(Boolean)
            .join(" · ")}
        </p>
      </fieldset>
      {failed ? (
        <p class="gm-error drawer" role="alert">
          {failed}
        </p>
      ) : null}
      <div class="actions" ref={primary}>
        <Button
          look="primary"
          keycap="⏎"
          data-enter
          disabled={ticked.size === 0}
          title={asPlanned ? words.byPolicy : words.bySelection}
          onClick={() => void send()}
        >
          {sending ? words.sending : ticked.size === 0 ? words.none : words.send(ticked.size)}
        </Button>
        <Button keycap="Esc" onClick={() => showPanel("none")}>
          {useWords().parts.cancel}
        </Button>
      </div>
    </>
  );
}

/** Arrows move among the ticks, Enter sends from any of them. */
function onPlanKey(event: KeyboardEvent, send: () => Promise<void>): void {
  const boxes = [...document.querySelectorAll<HTMLInputElement>(".plan-row input")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const at = boxes.indexOf(event.target as HTMLInputElement);
  if (at < 0) return;
  if (step) boxes[at + step]?.focus();
  if (event.key === "Enter") void send();
  if (step || event.key === "Enter") {
    event.preventDefault();
    event.stopPropagation();
  }
}

interface PlanRowProps {
  candidate: Candidate;
  plan: Plan;
  ticked: boolean;
  onToggle: (id: string) => void;
}

function PlanRow({ candidate, plan, ticked, onToggle }: PlanRowProps) {
  const words = useWords();
  const latin = useLanguage() === "en";
  const name = nameIn(candidate, latin);
  const aed = plan.aeds.find(({ id }) => id === candidate.aed);
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
      <span class="person" style={{ display: "block", padding: 0, minHeight: 0 }}>
        <span class="who">
          <b class="ellipsis">{name}</b>
          {candidate.role ? <RoleMark role={candidate.role} /> : null}
          {candidate.is_invented ? <span class="invented">{words.parts.invented}</span> : null}
        </span>
        <span class="fact ellipsis" style={{ display: "block" }}>
          {[skillText(candidate.skills, words), aed?.name, age].filter(Boolean).join(" · ")}
        </span>
      </span>
      <span class="person" style={{ display: "block", padding: 0, minHeight: 0 }}>
        <span class="right" style={{ border: 0 }}>
          <b>{candidate.travel_s === null ? "–" : minutesSeconds(candidate.travel_s)}</b>
        </span>
      </span>
    </label>
  );
}
