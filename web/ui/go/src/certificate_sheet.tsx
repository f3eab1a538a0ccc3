import { post } from "@shared/api.ts";
import { serverNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import { useState } from "preact/hooks";
import { refresh } from "./phone.ts";
import { Sheet } from "./sheet.tsx";

const KINDS = ["first_aid", "cpr_aed", "instructor", "nurse", "doctor", "paramedic"] as const;

/** Hand in a certificate; the office looks at it, and then it counts. */
export function CertificateSheet({ onClose }: { onClose: () => void }) {
  const all = useWords();
  const words = all.care.certificate;
  const [state, setState] = useState<{ wrong: string | null; busy: boolean; sent: boolean }>({
    wrong: null,
    busy: false,
    sent: false,
  });
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const proof = proofOf(new FormData(event.currentTarget as HTMLFormElement));
    if (proof.expires_on < today()) return setState({ ...state, wrong: words.past });
    setState({ ...state, busy: true, wrong: null });
    try {
      await post("/me/certificates", proof);
      await refresh();
      setState({ wrong: null, busy: false, sent: true });
    } catch (error) {
      setState({ ...state, busy: false, wrong: (error as Error).message });
    }
  };
  return (
    <Sheet title={words.title} onClose={onClose}>
      {state.sent ? (
        <>
          <p role="status" data-testid="handed-in">
            <Icon name="check" size={22} /> {words.sent}
          </p>
          <button type="button" class="phone-button primary" onClick={onClose}>
            {all.care.survey.done}
          </button>
        </>
      ) : (
        <form class="settings" onSubmit={submit}>
          <Fields />
          <p class="hint">{words.why}</p>
          {state.wrong ? (
            <p class="form-error" role="alert">
              <Icon name="warn" size={20} />
              {state.wrong}
            </p>
          ) : null}
          <button type="submit" class="phone-button primary" aria-disabled={state.busy}>
            {words.send}
          </button>
        </form>
      )}
    </Sheet>
  );
}

function Fields() {
  const all = useWords();
  const words = all.care.certificate;
  return (
    <>
      <label>
        {words.kind}
        <select name="kind">
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {all.domain.skill[kind]}
            </option>
          ))}
        </select>
      </label>
      <label>
        {words.number}
        <input name="number" autocomplete="off" />
      </label>
      <label>
        {words.issuer}
        <input name="issuer" autocomplete="off" />
      </label>
      <label>
        {words.expires}
        <input name="expires_on" type="date" required />
      </label>
    </>
  );
}

interface Proof {
  kind: string;
  expires_on: string;
  number?: string;
  issuer?: string;
}

function proofOf(form: FormData): Proof {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  return {
    kind: text("kind"),
    expires_on: text("expires_on"),
    ...(text("number") ? { number: text("number") } : {}),
    ...(text("issuer") ? { issuer: text("issuer") } : {}),
  };
}

const today = (): string => new Date(serverNow()).toISOString().slice(0, 10);
