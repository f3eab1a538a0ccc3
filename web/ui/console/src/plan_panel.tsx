import { newKey } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Incident, Plan } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { loadPlan, sendAlert } from "./actions.ts";
import { DecisionLog } from "./decision_log.tsx";
import { ExpectedBlock } from "./plan_expected.tsx";
import { countsMinutes, modesText } from "./plan_people.ts";
import { NotAsked, PlanRow } from "./plan_rows.tsx";
import { policyName } from "./policy_name.ts";
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
  const words = useWords();
  const sending = useSending(incident, plan);
  const { ticked, toggle, send, failed } = sending;
  const primary = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => primary.current?.querySelector("button")?.focus(), []);
  return (
    <>
      <fieldset
        class="side-scroll plan"
        aria-label={words.incident.plan.title}
        onKeyDown={(event) => onPlanKey(event, send)}
      >
        <ExpectedBlock plan={plan} />
        <Lacking modes={plan.modes} />
        <ChosenTitle plan={plan} />
        {plan.chosen.map((candidate) => (
          <PlanRow
            key={candidate.responder}
            candidate={candidate}
            plan={plan}
            ticked={ticked.has(candidate.responder)}
            onToggle={toggle}
          />
        ))}
        <NotAsked people={plan.excluded} aside={plan.aside} />
        <DecisionLog incident={incident} plan={plan} />
        <p class="plan-note">
          {[
            words.incident.plan.policy(policyName(plan.policy, words), Math.round(plan.ms)),
            words.decision.keys,
          ].join(" · ")}
        </p>
      </fieldset>
      {failed ? (
        <p class="gm-error drawer" role="alert">
          {failed}
        </p>
      ) : null}
      <div class="actions" ref={primary}>
        <SendButtons incident={incident} {...sending} />
      </div>
    </>
  );
}

function ChosenTitle({ plan }: { plan: Plan }) {
  const words = useWords();
  const own = words.incident.plan;
  if (plan.chosen.length === 0) return <Blank title={own.nobody} line={own.nobodyLine} />;
  const viaAed = plan.chosen.filter((candidate) => candidate.role === "via_aed").length;
  return (
    <>
      <div class="group-title">
        <h2>{own.title}</h2>
        <span>{own.summary(plan.chosen.length, plan.chosen.length - viaAed, viaAed)}</span>
        <span class="right">{words.decision.chosenLegend(countsMinutes(plan))}</span>
      </div>
      <p class="plan-note" data-caption="arrival">
        {words.decision.arrivalHint}
      </p>
    </>
  );
}

/** What the plan had to do without, each in one line. */
function Lacking({ modes }: { modes: string[] }) {
  const words = useWords();
  if (modes.length === 0) return null;
  return (
    <ul class="lacking" aria-label={words.decision.degraded}>
      {modesText(modes, words).map((text) => (
        <li key={text}>
          <Icon name="warn" size={14} />
          {text}
        </li>
      ))}
    </ul>
  );
}

type Sending = ReturnType<typeof useSending>;

function SendButtons({ incident, ticked, send, sending, asPlanned }: Sending & { incident: Incident }) {
  const words = useWords();
  const own = words.incident.plan;
  const count = incident.exercise
    ? `${words.parts.exercise} · ${own.send(ticked.size)}`
    : own.send(ticked.size);
  return (
    <>
      <Button
        look="primary"
        keycap="⏎"
        data-enter
        disabled={ticked.size === 0}
        title={asPlanned ? own.byPolicy : own.bySelection}
        onClick={() => void send()}
      >
        {sending ? own.sending : ticked.size === 0 ? own.none : count}
      </Button>
      <Button keycap="Esc" onClick={() => showPanel("none")}>
        {words.parts.cancel}
      </Button>
    </>
  );
}

/** Arrows move among the ticks and the folds, Enter sends from any tick. */
function onPlanKey(event: KeyboardEvent, send: () => Promise<void>): void {
  const stops = [...document.querySelectorAll<HTMLElement>(".plan-row input, .plan .fold")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const at = stops.indexOf(event.target as HTMLElement);
  if (at < 0) return;
  const sends = event.key === "Enter" && event.target instanceof HTMLInputElement;
  if (step) stops[at + step]?.focus();
  if (sends) void send();
  if (step || sends) {
    event.preventDefault();
    event.stopPropagation();
  }
}
