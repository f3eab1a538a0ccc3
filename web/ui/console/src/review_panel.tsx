import { get, post } from "@shared/api.ts";
import { hourMinute, minutesSeconds, timeOfDay } from "@shared/clock.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { Badge } from "@shared/parts/badge.tsx";
import { Button, Chip } from "@shared/parts/controls.tsx";
import type { Incident, Review, ReviewedPerson } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { type Words, wordFor } from "@shared/words/zh.ts";
import { Fragment } from "preact";
import { useEffect, useState } from "preact/hooks";
import { placeText } from "./names.ts";
import { figures, select, showPanel } from "./state.ts";
import { spanText } from "./telling.ts";
import { complain, problemText } from "./toast.ts";

/** The review of the incident that is open, in place of its people. */
export function ReviewPanel({ incident }: { incident: Incident }) {
  const words = useWords();
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
      <div class="side-scroll review" tabIndex={0}>
        <OneReview id={incident.id} stamp={incident.version} />
      </div>
      <div class="actions">
        <Button keycap="Esc" onClick={() => showPanel("none")}>
          {words.parts.close}
        </Button>
      </div>
    </>
  );
}

/** With nothing open: what closed in the last day, each with its review. */
export function ClosedReviews() {
  const words = useWords();
  const own = words.incidentLife.review;
  const closed = useStore(figures)?.closed_24h ?? [];
  const [id, setId] = useState<string | null>(null);
  const chosen = closed.find((incident) => incident.id === id) ?? null;
  return (
    <aside class="side" aria-label={own.title}>
      <h1 class="reg-title">{chosen ? `${words.domain.kind[chosen.kind]} ${chosen.number}` : own.list}</h1>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
      <div class="side-scroll review" tabIndex={0}>
        {chosen ? (
          <OneReview id={chosen.id} stamp={chosen.version} />
        ) : (
          <ClosedList closed={closed} onChoose={setId} />
        )}
      </div>
      <div class="actions">
        {chosen ? (
          <>
            <Button onClick={() => setId(null)}>{own.all}</Button>
            <Button onClick={() => void reopen(chosen.id)}>{own.reopen}</Button>
          </>
        ) : null}
        <Button keycap="Esc" onClick={() => showPanel("none")}>
          {words.parts.close}
        </Button>
      </div>
    </aside>
  );
}

async function reopen(incident: string): Promise<void> {
  try {
    await post(`/incidents/${incident}/reopen`, {});
    select(incident);
  } catch (error) {
    complain(error);
  }
}

function ClosedList({ closed, onChoose }: { closed: Incident[]; onChoose: (id: string) => void }) {
  const words = useWords();
  const own = words.incidentLife.review;
  if (closed.length === 0) {
    return (
      <div class="blank">
        <b>{own.listEmpty}</b>
      </div>
    );
  }
  return (
    <>
      <p class="plan-note">{own.listHint}</p>
      {closed.map((incident) => (
        <button
          type="button"
          key={incident.id}
          class={`queue-row calm ${incident.exercise ? "gm-hatch" : ""}`}
          data-review={incident.id}
          aria-label={own.open(incident.number)}
          onClick={() => onChoose(incident.id)}
        >
          <Badge severity={incident.severity} hollow />
          <span class="title ellipsis">{words.domain.kind[incident.kind]}</span>
          <span class="time">{incident.closed_at ? hourMinute(incident.closed_at) : ""}</span>
          <span class="address ellipsis">
            {[
              incident.exercise ? words.parts.exercise : "",
              placeText(incident),
              incident.disposition ? words.domain.disposition[incident.disposition] : "",
            ]
              .filter(Boolean)
              .join(" · ")}
          </span>
        </button>
      ))}
    </>
  );
}

function OneReview({ id, stamp }: { id: string; stamp: number }) {
  const words = useWords().incidentLife;
  const [review, setReview] = useState<Review | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    get<Review>(`/incidents/${id}/review`, {}, stop.signal)
      .then(setReview)
      .catch((error: unknown) => stop.signal.aborted || setFailed(problemText(error)));
    return () => stop.abort();
  }, [id, stamp]);
  if (failed) return <p class="gm-error">{failed}</p>;
  if (review?.incident !== id) return <div class="bars" role="status" aria-label={words.review.loading} />;
  return (
    <>
      {review.exercise ? <ExerciseLine /> : null}
      <Intervals review={review} />
      <Counts review={review} />
      <Silent review={review} />
      <People review={review} />
      <Decisions review={review} />
      <p class="plan-note">{words.review.fromRecord}</p>
    </>
  );
}

/** Said wherever an exercise is shown whole. */
export function ExerciseLine() {
  const words = useWords();
  return (
    <p class="exercise-line gm-hatch" data-exercise="">
      <Chip look="drill">{words.parts.exercise}</Chip>
      <span>{words.incidentLife.exercise}</span>
    </p>
  );
}

const LONGEST_FIRST = (review: Review): number =>
  Math.max(1, ...Object.values(review.intervals).map((seconds) => seconds ?? 0));

/** Each step as a bar on one scale, and in figures. */
function Intervals({ review }: { review: Review }) {
  const own = useWords().incidentLife.review;
  const names: Record<string, string> = own.interval;
  const most = Math.min(LONGEST_FIRST(review), 3600);
  const rows = Object.entries(review.intervals);
  const ofCall = rows.filter(([name]) => name.startsWith("call_"));
  const ofAlert = rows.filter(([name]) => name.startsWith("alert_"));
  return (
    <section aria-label={own.intervals}>
      {[
        { title: own.fromCall, steps: ofCall },
        { title: own.fromAlert, steps: ofAlert },
      ].map(({ title, steps }) => (
        <Fragment key={title}>
          <div class="group-title">
            <h2>{title}</h2>
          </div>
          <dl class="intervals">
            {steps.map(([name, seconds]) => (
              <div key={name} data-interval={name}>
                <dt>{names[name] ?? name}</dt>
                <dd class={seconds === null ? "never" : ""}>
                  <i aria-hidden="true">
                    <i style={{ width: `${Math.min(100, ((seconds ?? 0) / most) * 100)}%` }} />
                  </i>
                  <b>{seconds === null ? own.never : spanText(seconds)}</b>
                </dd>
              </div>
            ))}
          </dl>
        </Fragment>
      ))}
    </section>
  );
}

function Counts({ review }: { review: Review }) {
  const own = useWords().incidentLife.review;
  const names: Record<string, string> = own.count;
  return (
    <section>
      <div class="group-title">
        <h2>{own.counts}</h2>
      </div>
      <dl class="tally">
        {Object.entries(review.counts).map(([name, count]) => (
          <div key={name} data-count={name}>
            <dt>{names[name] ?? name}</dt>
            <dd>{count}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Silent({ review }: { review: Review }) {
  const words = useWords();
  const own = words.incidentLife.review;
  return (
    <section>
      <div class="group-title">
        <h2>{own.silent}</h2>
        <span>{review.silent.length || own.nobodySilent}</span>
      </div>
      <ul class="told">
        {review.silent.map(({ responder, name, status }) => (
          <li key={responder}>
            <b>{name}</b>
            <span>{wordFor(words.domain.alertStatus, status)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function People({ review }: { review: Review }) {
  const words = useWords();
  const own = words.incidentLife.review;
  return (
    <section>
      <div class="group-title">
        <h2>{own.people}</h2>
        <span>{review.responders.length}</span>
      </div>
      <ul class="told">
        {review.responders.map((person) => (
          <li key={person.responder}>
            <b>{person.name}</b>
            <span>{personText(person, words)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What one person did, against what was planned. */
function personText(person: ReviewedPerson, words: Words): string {
  const own = words.incidentLife.review;
  const ended = person.assignment
    ? wordFor(words.domain.step, person.assignment)
    : wordFor(words.domain.alertStatus, person.status);
  return [
    own.wave(person.wave),
    wordFor(words.domain.role, person.role),
    ended,
    person.answer_s === null ? "" : own.answered(minutesSeconds(person.answer_s)),
    person.planned_s === null ? "" : own.planned(minutesSeconds(person.planned_s)),
    person.travelled_s === null ? "" : own.took(minutesSeconds(person.travelled_s)),
    wordFor(words.domain.declineReason, person.unable_reason),
  ]
    .filter(Boolean)
    .join(" · ");
}

function Decisions({ review }: { review: Review }) {
  const words = useWords();
  const language = useLanguage();
  return (
    <section lang={language === "zh" ? "zh-CN" : "en"}>
      <div class="group-title">
        <h2>{words.incidentLife.review.decisions}</h2>
        <span>{review.decisions.length}</span>
      </div>
      <ul class="told">
        {review.decisions.map(({ id, made_at, policy, chosen, excluded }) => (
          <li key={id}>
            <b>{timeOfDay(made_at)}</b>
            <span>{`${words.decision.logLine(chosen, excluded)} · ${policy}`}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
