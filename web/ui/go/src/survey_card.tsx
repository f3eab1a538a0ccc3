import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Survey } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useState } from "preact/hooks";
import { answerSurvey, setDuty, showNotice, usePhone } from "./phone.ts";
import { type Answered, answered, dueSurvey, IMPACTS, restHours, restUntil } from "./survey.ts";

/** Ninety minutes after a mission, and again after four weeks: four answers, one tap. */
export function SurveyCard() {
  const me = usePhone((state) => state.me);
  const said = useStore(answered);
  const survey = dueSurvey(me);
  if (said) return <After said={said} phone={me?.org.phone ?? null} />;
  return survey ? <Question survey={survey} /> : null;
}

function Question({ survey }: { survey: Survey }) {
  const all = useWords();
  const words = all.care.survey;
  const title = survey.round === 2 ? words.again : words.title;
  return (
    <section
      class={`block survey ${survey.incident.exercise ? "exercise" : ""}`}
      aria-label={title}
      data-testid="survey"
    >
      {survey.incident.exercise ? <p class="drill-line">{all.parts.exercise}</p> : null}
      <h2>{title}</h2>
      <div class="survey-answers">
        {IMPACTS.map((impact) => (
          <button
            key={impact}
            type="button"
            class="phone-button"
            data-impact={impact}
            onClick={() => answerSurvey(survey, impact)}
          >
            <Weight steps={IMPACTS.indexOf(impact)} />
            {words.answers[impact]}
          </button>
        ))}
      </div>
      <p class="hint">{words.hint}</p>
    </section>
  );
}

/** How much it weighs, for those who do not read: none to three filled dots. */
function Weight({ steps }: { steps: number }) {
  return (
    <span class="weight" aria-hidden="true">
      {[1, 2, 3].map((step) => (
        <i key={step} class={step <= steps ? "on" : ""} />
      ))}
    </span>
  );
}

/** What happens now, whom to call, and a rest. */
function After({ said: { impact, exercise }, phone }: { said: Answered; phone: string | null }) {
  const all = useWords();
  const words = all.care.survey;
  const isHard = impact === "moderate" || impact === "severe";
  return (
    <section class={`block survey ${exercise ? "exercise" : ""}`} data-testid="survey-after" role="status">
      {exercise ? <p class="drill-line">{all.parts.exercise}</p> : null}
      <h2>{words.thanks}</h2>
      <p class="survey-next">{words[impact]}</p>
      {impact === "severe" && !exercise ? <p class="survey-next">{words.resting}</p> : null}
      {exercise && isHard ? <p class="hint">{words.drill}</p> : null}
      {isHard ? <p class="hint">{words.tips}</p> : null}
      {isHard && phone ? (
        <a class="phone-button" href={`tel:${phone}`}>
          <Icon name="phone" size={20} />
          {words.call}
        </a>
      ) : null}
      {isHard ? (
        <a class="phone-button" href="tel:12356">
          <Icon name="phone" size={20} />
          {words.hotline}
        </a>
      ) : null}
      <Rest impact={impact} exercise={exercise} />
    </section>
  );
}

function Rest({ impact, exercise }: Pick<Answered, "impact" | "exercise">) {
  const words = useWords().care.survey;
  const [busy, setBusy] = useState(false);
  const hours = exercise ? null : restHours(impact);
  const isResting = usePhone((state) => state.duty) === "resting";
  const rest = async (wanted: number) => {
    setBusy(true);
    try {
      await setDuty("resting", restUntil(wanted));
      answered.set(null);
    } catch (error) {
      showNotice({ kind: "refused", text: (error as Error).message });
    } finally {
      setBusy(false);
    }
  };
  return (
    <div class="pair">
      {hours && !isResting ? (
        <button
          type="button"
          class="phone-button primary"
          data-testid="rest"
          aria-busy={busy}
          onClick={() => busy || void rest(hours)}
        >
          {words.rest(hours)}
        </button>
      ) : null}
      <button type="button" class="phone-button" data-testid="survey-done" onClick={() => answered.set(null)}>
        {hours && !isResting ? words.noRest : words.done}
      </button>
    </div>
  );
}
