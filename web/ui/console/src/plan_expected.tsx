import { minutesSeconds } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import type { Expectations, Expected, Plan } from "@shared/shapes.ts";
import { chartLength, percent, sooner } from "./plan_chart.ts";

/** Minutes to CPR and to the shock: with this plan, with everybody direct, with nobody. */
export function ExpectedBlock({ plan }: { plan: Plan }) {
  const words = useWords().decision;
  const { expected } = plan;
  if (!expected) return <p class="plan-note">{words.noExpected}</p>;
  const length = chartLength(plan);
  return (
    <section class="expected" aria-label={words.expected}>
      <div class="head" title={words.expectedHint}>
        <span>{words.expected}</span>
        <span>
          <Mark look="ink" />
          {words.cpr}
        </span>
        <span>
          <Mark look="shock" />
          {words.shock}
        </span>
      </div>
      <Outcome hero label={words.plan} of={expected.plan} />
      <p class="sooner">{soonerText(expected, words)}</p>
      <Axis plan={plan} length={length} expected={expected} />
      <Outcome label={words.allDirect} of={expected.all_direct} />
      <Outcome label={words.nobody} of={expected.nobody} />
    </section>
  );
}

type DecisionWords = ReturnType<typeof useWords>["decision"];

/** How much is won over alerting nobody; what is not won is not said. */
function soonerText(expected: Expectations, words: DecisionWords): string {
  const won = sooner(expected);
  if (!won) return words.noEarlier;
  const parts = [
    won.cprS >= 1 ? words.earlierCpr(minutesSeconds(won.cprS)) : "",
    won.shockS >= 1 ? words.earlierShock(minutesSeconds(won.shockS)) : "",
  ];
  return words.than(parts.filter(Boolean).join(" · "));
}

interface OutcomeProps {
  label: string;
  of: Expected;
  hero?: boolean;
}

function Outcome({ label, of, hero }: OutcomeProps) {
  return (
    <div class={`outcome ${hero ? "hero" : ""}`} data-outcome={hero ? "plan" : undefined}>
      <span>{label}</span>
      <b>{minutesSeconds(of.cpr_s)}</b>
      <b>{minutesSeconds(of.shock_s)}</b>
    </div>
  );
}

const MARK_Y = 9;

/** One track of minutes: the plan filled, nobody hollow, the ambulance a line across. */
function Axis({ plan, length, expected }: { plan: Plan; length: number; expected: Expectations }) {
  const words = useWords().decision;
  const said = (one: Expected) => `${minutesSeconds(one.cpr_s)}, ${minutesSeconds(one.shock_s)}`;
  const ambulance = percent(plan.scene.ambulance_s, length);
  return (
    <svg
      class="plan-axis"
      width="100%"
      height="32"
      role="img"
      aria-label={words.chartLabel(said(expected.plan), said(expected.all_direct), said(expected.nobody))}
    >
      <rect x="0" y={MARK_Y - 2} width="100%" height="4" rx="2" fill="var(--sunken)" />
      <line x1="0" x2={percent(expected.plan.cpr_s, length)} y1={MARK_Y} y2={MARK_Y} class="known" />
      <line x1={ambulance} x2={ambulance} y1="1" y2="18" class="ambulance-line" />
      <Dot at={percent(expected.nobody.cpr_s, length)} look="hollow" />
      <Dot at={percent(expected.plan.cpr_s, length)} look="ink" />
      <Dot at={percent(expected.plan.shock_s, length)} look="shock" />
      <text x="0" y="30">
        0
      </text>
      <text x={ambulance} y="30" text-anchor="middle" class="ambulance">
        {words.ambulance}
      </text>
      <text x="100%" y="30" text-anchor="end">
        {words.axisEnd(length / 60)}
      </text>
    </svg>
  );
}

/** CPR is a disc, the shock a square: they differ in grey too. */
function Dot({ at, look }: { at: string; look: "ink" | "shock" | "hollow" }) {
  if (look !== "shock") return <circle cx={at} cy={MARK_Y} r="5" class={`dot ${look}`} />;
  return (
    <svg x={at} y={MARK_Y} overflow="visible" aria-hidden="true">
      <rect x="-5" y="-5" width="10" height="10" rx="2" class="dot shock" />
    </svg>
  );
}

const Mark = ({ look }: { look: "ink" | "shock" }) => (
  <svg width="9" height="9" viewBox="0 0 12 12" aria-hidden="true">
    {look === "ink" ? (
      <circle cx="6" cy="6" r="5" fill="var(--ink)" />
    ) : (
      <rect x="1" y="1" width="10" height="10" rx="2" fill="var(--aed)" />
    )}
  </svg>
);
