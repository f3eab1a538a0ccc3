import { Problem } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import { useEffect, useRef, useState } from "preact/hooks";
import { report } from "./finder.ts";

type Phase = "asking" | "sent" | "sign_in" | "failed";
const KINDS = ["missing", "locked", "moved", "broken", "other"] as const;

/** Say that something is wrong with an AED; a name must stand behind it, so it needs a sign-in. */
export function ReportButton({ aed }: { aed: string }) {
  const words = useWords();
  const [open, setOpen] = useState(false);
  const [phase, setPhase] = useState<Phase>("asking");
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!open) return;
    setPhase("asking");
    dialog.current?.showModal();
  }, [open]);
  const send = (kind: string) =>
    report(aed, kind).then(
      () => setPhase("sent"),
      (error: unknown) =>
        setPhase(error instanceof Problem && [401, 403, 404].includes(error.status) ? "sign_in" : "failed"),
    );
  return (
    <>
      <button type="button" class="big" onClick={() => setOpen(true)}>
        {words.aed.report}
      </button>
      {open ? (
        <dialog class="report" ref={dialog} aria-label={words.aed.reportTitle} onClose={() => setOpen(false)}>
          <header>
            <h2>{words.aed.reportTitle}</h2>
            <button type="button" aria-label={words.parts.close} onClick={() => dialog.current?.close()}>
              <Icon name="close" size={22} />
            </button>
          </header>
          {phase === "asking"
            ? KINDS.map((kind) => (
                <button key={kind} type="button" class="big" onClick={() => void send(kind)}>
                  {words.aed.reportKinds[kind]}
                </button>
              ))
            : null}
          {phase === "sent" ? <p role="status">{words.aed.reported}</p> : null}
          {phase === "failed" ? <p role="alert">{words.aed.failed}</p> : null}
          {phase === "sign_in" ? (
            <>
              <p role="alert">{words.aed.reportSignIn}</p>
              <a class="big primary" href="/sign-in">
                {words.aed.signIn}
              </a>
            </>
          ) : null}
        </dialog>
      ) : null}
    </>
  );
}
