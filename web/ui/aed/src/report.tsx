import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import { useStore } from "@shared/store.ts";
import type { Words } from "@shared/words/zh.ts";
import { useEffect, useRef } from "preact/hooks";
import { ownPosition } from "./own_position.ts";
import { amend, begin, type Draft, draft, end, KINDS, send } from "./reporting.ts";

/** Opens the report of an AED; nobody has to sign in. */
export function ReportButton({ aed }: { aed: string }) {
  return (
    <button type="button" class="big" data-testid="report" onClick={() => begin(aed)}>
      {useWords().aed.report}
    </button>
  );
}

/** The report that is being written, above everything else. */
export function ReportDialog({ hasMap }: { hasMap: boolean }) {
  const words = useWords();
  const report = useStore(draft);
  const dialog = useRef<HTMLDialogElement>(null);
  const open = report !== null && !report.picking;
  useEffect(() => {
    if (open) dialog.current?.showModal();
  }, [open]);
  if (!report || !open) return null;
  return (
    <dialog class="report" ref={dialog} aria-labelledby="report-title" onClose={close}>
      <header>
        <h2 id="report-title">{words.aed.reportTitle}</h2>
        <button type="button" aria-label={words.parts.close} onClick={end}>
          <Icon name="close" size={22} />
        </button>
      </header>
      {report.phase === "sent" ? (
        <>
          <p role="status" data-testid="reported">
            {words.aed.reported}
          </p>
          <button type="button" class="big primary" onClick={end}>
            {words.parts.close}
          </button>
        </>
      ) : (
        <Form report={report} hasMap={hasMap} />
      )}
    </dialog>
  );
}

/** Escape closes the dialog; while the map stands in front the draft is kept. */
const close = () => {
  if (!draft.get()?.picking) end();
};

function Form({ report, hasMap }: { report: Draft; hasMap: boolean }) {
  const words = useWords().aed;
  const trouble = troubleOf(report, words);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <fieldset>
        <legend class="sr-only">{words.reportTitle}</legend>
        {KINDS.map((kind) => (
          <label key={kind}>
            <input
              type="radio"
              name="kind"
              required
              checked={report.kind === kind}
              onChange={() => amend({ kind })}
            />
            {words.reportKinds[kind]}
          </label>
        ))}
      </fieldset>
      {report.kind === "moved" ? <NewPlace report={report} hasMap={hasMap} /> : null}
      <label for="report-note">{words.reportNote}</label>
      <textarea
        id="report-note"
        rows={2}
        maxLength={1000}
        value={report.note}
        onInput={({ currentTarget }) => amend({ note: currentTarget.value })}
      />
      {trouble ? <p role="alert">{trouble}</p> : null}
      <button type="submit" class="big primary" disabled={report.phase === "sending"}>
        {report.phase === "sending" ? words.sending : words.send}
      </button>
    </form>
  );
}

function troubleOf({ phase, waitS }: Draft, words: Words["aed"]): string | null {
  if (phase === "failed") return words.reportFailed;
  if (phase !== "tooMany") return null;
  const wait = waitS <= 90 ? words.seconds(Math.ceil(waitS)) : words.minutesWait(Math.ceil(waitS / 60));
  return words.reportTooMany(wait);
}

function NewPlace({ report, hasMap }: { report: Draft; hasMap: boolean }) {
  const words = useWords().aed;
  const here = async () => {
    const position = await ownPosition();
    if (position) amend({ position });
  };
  return (
    <fieldset class="new-place">
      <legend>{words.newPlace}</legend>
      <button type="button" class="big" onClick={() => void here()}>
        {words.ownPlace}
      </button>
      {hasMap ? (
        <button type="button" class="big" onClick={() => amend({ picking: true })}>
          {words.choosePlace}
        </button>
      ) : null}
      <p role="status">{report.position ? words.placeChosen : ""}</p>
    </fieldset>
  );
}
