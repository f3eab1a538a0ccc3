import { post } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import { Chip } from "@shared/parts/controls.tsx";
import type { AedCheck, Page } from "@shared/shapes.ts";
import { say } from "../toast.ts";
import { AedHead, type TabProps, useAedScene } from "./aed_head.tsx";
import { choiceWord } from "./aed_words.ts";
import { touch, useAsked } from "./asking.ts";
import { useDraft, useSubmit } from "./drafts.ts";
import { allOf, type FieldSpec } from "./field_values.ts";
import { Fields, Trouble } from "./form_parts.tsx";
import { Bars } from "./list_pane.tsx";
import { SaveButtons, Side } from "./side.tsx";
import { dayMinute } from "./when.ts";

const DATES = ["pads_expire_on", "child_pads_expire_on", "battery_expires_on"] as const;
const SPECS: readonly FieldSpec[] = [
  { name: "result", kind: "choice", options: ["ok", "fault", "missing"] },
  ...DATES.map((name): FieldSpec => ({ name, kind: "day" })),
  { name: "note", kind: "area" },
];

/** Record that somebody looked at it; below, who looked before. */
export function AedChecks({ asked }: TabProps) {
  useAedScene(asked);
  const aed = asked.value;
  const words = useWords().registry;
  const known = useAsked<Page<AedCheck>>(`/aeds/${aed.id}/checks`);
  const draft = useDraft(`check ${aed.id}`, SPECS, { result: "ok" });
  const { isBusy, problem, run } = useSubmit();
  const body = allOf(SPECS, draft.texts);
  const record = () =>
    run(async (key) => {
      await post(`/aeds/${aed.id}/checks`, body, { key });
      draft.clear();
      say(words.aed.checkSaved);
      touch();
    }, body);
  const labels = { ...words.aed.fields, result: words.aed.checkResult, note: words.note };
  return (
    <Side
      label={aed.name}
      head={<AedHead aed={aed} tab="checks" />}
      onSubmit={() => void record()}
      notice={<Trouble problem={problem} labels={labels} />}
      actions={
        <SaveButtons
          isDirty={draft.isDirty}
          isBusy={isBusy}
          label={words.aed.checkSave}
          onDiscard={draft.clear}
        />
      }
    >
      <fieldset class="reg-group">
        <legend>{words.aed.checkNew}</legend>
        <Fields
          draft={draft}
          names={SPECS.map(({ name }) => name)}
          labels={labels}
          hints={{ result: draft.texts.result === "ok" ? words.aed.checkOk : words.aed.checkBad }}
          word={(field, option) => choiceWord(field, option, words)}
          problem={problem}
        />
      </fieldset>
      {known.value ? <Looks checks={known.value.items} /> : <Bars />}
    </Side>
  );
}

function Looks({ checks }: { checks: readonly AedCheck[] }) {
  const words = useWords().registry;
  if (checks.length === 0) return <p class="reg-note">{words.aed.noChecks}</p>;
  return (
    <ol class="reg-log">
      {checks.map((check) => (
        <li key={check.id}>
          <time>{dayMinute(check.at)}</time>
          <div>
            <p>
              <b>{words.aed.checkResults[check.result]}</b>
              {check.by ? ` · ${check.by.name}` : ""}
              {check.is_far && check.away_m !== null ? (
                <Chip look="warn">{words.aed.far(Math.round(check.away_m))}</Chip>
              ) : null}
            </p>
            {DATES.flatMap((name) =>
              check[name] ? [<p key={name}>{`${words.aed.fields[name]} ${check[name]}`}</p>] : [],
            )}
            {check.note ? <p>{check.note}</p> : null}
          </div>
        </li>
      ))}
    </ol>
  );
}
