import { useNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Mission } from "@shared/shapes.ts";
import { type AedProblem, type Reported, reportPath } from "./moves.ts";
import { reportAed, usePhone } from "./phone.ts";

/** One tap says what is wrong with the AED; it goes at once, as every second counts. */
export function AedProblems({ mission, kinds }: { mission: Mission; kinds: AedProblem[] }) {
  const words = useWords().care.aedProblem;
  return (
    <fieldset class="aed-problems">
      <legend>{words.ask}</legend>
      {kinds.map((kind) => (
        <button
          key={kind}
          type="button"
          class="phone-button"
          data-testid={`aed-${kind}`}
          onClick={() => reportAed(mission, kind)}
        >
          {words.kinds[kind]}
        </button>
      ))}
    </fieldset>
  );
}

/** So long sending may take before it counts as no network. */
const SEND_MS = 2000;
/** So long another AED may still come. */
const WAIT_MS = 15_000;

/** What was said, and what to do until the way is another one. */
export function ReportedCard({ reported }: { reported: Reported }) {
  const words = useWords().care.aedProblem;
  const isWaiting = usePhone(({ waiting }) => waiting.some(({ path }) => path === reportPath(reported.aed)));
  const since = useNow() - reported.at;
  const isLate = since > WAIT_MS;
  const next = isWaiting && since > SEND_MS ? words.offline : isLate ? words.alone : words.next;
  return (
    <section class="card reported" role="status" data-testid="reported">
      <Icon name="warn" size={24} />
      <div class="card-text">
        <h2>{words.said[reported.kind]}</h2>
        <p>{next}</p>
      </div>
    </section>
  );
}
