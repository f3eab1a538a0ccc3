import { post } from "@shared/api.ts";
import { serverNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Button, Chip } from "@shared/parts/controls.tsx";
import type { Certificate, Volunteer } from "@shared/shapes.ts";
import { wordFor } from "@shared/words/zh.ts";
import { useState } from "preact/hooks";
import { say } from "../toast.ts";
import { touch } from "./asking.ts";
import { useDraft, useSubmit } from "./drafts.ts";
import { allOf, type FieldSpec, missingOf } from "./field_values.ts";
import { Fields, Trouble } from "./form_parts.tsx";
import { certificateState, PROOFS } from "./person_words.ts";
import { useMayChange } from "./rights.ts";
import { dayMinute } from "./when.ts";

const SPECS: readonly FieldSpec[] = [
  { name: "kind", kind: "choice", options: PROOFS },
  { name: "number", kind: "text" },
  { name: "issuer", kind: "text", wide: true },
  { name: "issued_on", kind: "day" },
  { name: "expires_on", kind: "day", required: true },
];

interface Props {
  person: Volunteer;
  onSaved: (person: Volunteer) => void;
}

/** What somebody was trained in: review what waits, add what the office has seen. */
export function Certificates({ person, onSaved }: Props) {
  const words = useWords().registry;
  const [isAdding, setAdding] = useState(false);
  const mayChange = useMayChange("responders");
  return (
    <fieldset class="reg-group">
      <legend>{words.people.certificates}</legend>
      {person.certificates.length === 0 ? <p class="reg-hint">{words.people.noCertificates}</p> : null}
      {person.certificates.map((one) => (
        <One key={one.id} one={one} person={person} onSaved={onSaved} />
      ))}
      {isAdding || !mayChange ? null : (
        <div class="reg-line">
          <Button onClick={() => setAdding(true)}>{words.people.addCertificate}</Button>
        </div>
      )}
      {isAdding ? <Adding person={person} onSaved={onSaved} onDone={() => setAdding(false)} /> : null}
    </fieldset>
  );
}

function One({ one, person, onSaved }: Props & { one: Certificate }) {
  const words = useWords();
  const own = words.registry.people;
  const mayChange = useMayChange("responders");
  const { isBusy, problem, run } = useSubmit();
  const state = certificateState(one, words.registry, serverNow());
  const review = (status: "verified" | "revoked") =>
    run(async (key) => {
      const path = `/responders/${person.id}/certificates/${one.id}/review`;
      onSaved(await post<Volunteer>(path, { status }, { key }));
      say(own.reviewed(own.certificateStatus[status]));
      touch();
    }, status);
  const facts = [one.number, one.issuer, one.issued_on].filter(Boolean).join(" · ");
  return (
    <div class="reg-paper" data-certificate={one.id}>
      <div>
        <p>
          <b>{wordFor(own.proof, one.kind)}</b>
          <Chip look={state.isWarning ? "warn" : "plain"}>{state.text}</Chip>
        </p>
        <p>{`${own.certificate.expires_on} ${one.expires_on}`}</p>
        {facts ? <p class="ellipsis">{facts}</p> : null}
        {one.reviewed_at ? <p>{dayMinute(one.reviewed_at)}</p> : null}
        <Trouble problem={problem} />
      </div>
      <div class="buttons">
        {one.status === "verified" || !mayChange ? null : (
          <Button size="small" disabled={isBusy} onClick={() => void review("verified")}>
            {own.verify}
          </Button>
        )}
        {one.status === "revoked" || !mayChange ? null : (
          <Button size="small" look="ghost" disabled={isBusy} onClick={() => void review("revoked")}>
            {own.revoke}
          </Button>
        )}
      </div>
    </div>
  );
}

function Adding({ person, onSaved, onDone }: Props & { onDone: () => void }) {
  const words = useWords();
  const own = words.registry.people;
  const draft = useDraft(`certificate ${person.id}`, SPECS, { kind: PROOFS[0] });
  const { isBusy, problem, run } = useSubmit();
  const body = allOf(SPECS, draft.texts);
  const isLacking = missingOf(SPECS, draft.texts).length > 0;
  const add = () =>
    run(async (key) => {
      onSaved(await post<Volunteer>(`/responders/${person.id}/certificates`, body, { key }));
      draft.clear();
      say(own.certificateAdded);
      touch();
      onDone();
    }, body);
  return (
    <div class="reg-inner">
      <Fields
        draft={draft}
        names={SPECS.map(({ name }) => name)}
        labels={own.certificate}
        word={(_, kind) => wordFor(own.proof, kind)}
        problem={problem}
      />
      <p class="reg-hint">{own.certificateNote}</p>
      <Trouble problem={problem} labels={own.certificate} />
      <div class="reg-line">
        <Button disabled={isBusy || isLacking} onClick={() => void add()}>
          {own.addCertificate}
        </Button>
        <Button look="ghost" onClick={onDone}>
          {words.parts.cancel}
        </Button>
      </div>
    </div>
  );
}
