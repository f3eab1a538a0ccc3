import { post } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import type { PolicyVersion, ShippedPolicy } from "@shared/shapes.ts";
import { wordFor } from "@shared/words/zh.ts";
import { useState } from "preact/hooks";
import { KINDS } from "../kind_match.ts";
import { say } from "../toast.ts";
import { touch } from "./asking.ts";
import { useDraft, useSubmit } from "./drafts.ts";
import { changesOf, missingOf } from "./field_values.ts";
import { Fields, focusRefused, Trouble } from "./form_parts.tsx";
import { ABOUT, draftName, GROUPS, type GroupName, POLICY_FIELDS } from "./policy_fields.ts";
import { Rest } from "./policy_parts.tsx";
import { SaveButtons, Side } from "./side.tsx";
import { go } from "./where.ts";

/** A new version from a shipped policy: only what is changed is sent. */
export function PolicyDraft({ base }: { base: ShippedPolicy }) {
  const words = useWords();
  const own = words.office.policy;
  const thing = { ...base.document, name: draftName(base.name), note: "" };
  const draft = useDraft(`policy ${base.name}`, POLICY_FIELDS, thing);
  const bounds = useBounds();
  const { isBusy, problem, run } = useSubmit();
  const [lacks, setLacks] = useState(false);
  const save = async () => {
    const missing = missingOf(POLICY_FIELDS, draft.texts).length > 0;
    setLacks(missing);
    if (missing) return;
    const { name: _name, note: _note, ...document } = changesOf(POLICY_FIELDS, draft.saved, draft.edits);
    const body = {
      name: (draft.texts.name ?? "").trim(),
      note: (draft.texts.note ?? "").trim() || null,
      base: base.name,
      document,
      ...bounds.value,
    };
    const went = await run(async (key) => {
      const made = await post<PolicyVersion>("/policies", body, { key });
      draft.clear();
      say(own.saved(made.name, made.version));
      touch();
      go({ item: made.id });
    }, body);
    if (!went) focusRefused();
  };
  const labels = { ...own.fields, name: own.name, note: own.note };
  return (
    <Side
      label={own.draft}
      title={own.drafting(wordFor(own.names, base.name))}
      isNew
      notice={
        <>
          {lacks ? (
            <p class="gm-error" role="alert">
              {words.registry.mustFill(own.name)}
            </p>
          ) : null}
          <Trouble problem={problem} labels={labels} />
        </>
      }
      onSubmit={() => void save()}
      actions={
        <SaveButtons isDirty={draft.isDirty} isBusy={isBusy} label={own.save} onDiscard={draft.clear} />
      }
    >
      <fieldset class="reg-group">
        <legend>{own.draft}</legend>
        <Fields {...{ draft, labels, problem }} names={ABOUT.map(({ name }) => name)} />
      </fieldset>
      <Bounds {...bounds} />
      {(Object.keys(GROUPS) as GroupName[]).map((group) => (
        <fieldset class="reg-group" key={group}>
          <legend>{own.groups[group]}</legend>
          <Fields {...{ draft, labels, problem }} names={GROUPS[group]} hints={own.hints} />
        </fieldset>
      ))}
      <Rest document={base.document} />
    </Side>
  );
}

/** For which kinds and levels a draft is to hold; none chosen means all. */
function useBounds() {
  const [value, setValue] = useState<{ kinds: string[]; severities: number[] }>({
    kinds: [],
    severities: [],
  });
  const flip = <T,>(list: T[], one: T) =>
    list.includes(one) ? list.filter((other) => other !== one) : [...list, one];
  const flipKind = (kind: string) => setValue((now) => ({ ...now, kinds: flip(now.kinds, kind) }));
  const flipSeverity = (severity: number) =>
    setValue((now) => ({ ...now, severities: flip(now.severities, severity) }));
  return { value, flipKind, flipSeverity };
}

function Bounds({ value, flipKind, flipSeverity }: ReturnType<typeof useBounds>) {
  const words = useWords();
  const own = words.office.policy;
  return (
    <>
      <fieldset class="reg-group reg-checks">
        <legend>{value.kinds.length ? own.kinds : `${own.kinds} · ${own.everyKind}`}</legend>
        {KINDS.map(({ kind }) => (
          <label key={kind}>
            <input type="checkbox" checked={value.kinds.includes(kind)} onChange={() => flipKind(kind)} />
            {words.domain.kind[kind]}
          </label>
        ))}
      </fieldset>
      <fieldset class="reg-group reg-checks">
        <legend>
          {value.severities.length ? own.severities : `${own.severities} · ${own.everySeverity}`}
        </legend>
        {([1, 2, 3, 4] as const).map((level) => (
          <label key={level}>
            <input
              type="checkbox"
              checked={value.severities.includes(level)}
              onChange={() => flipSeverity(level)}
            />
            {words.domain.severity[level]}
          </label>
        ))}
      </fieldset>
    </>
  );
}
