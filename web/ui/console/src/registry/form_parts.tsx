import type { Problem } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Words } from "@shared/words/zh.ts";
import { useId } from "preact/hooks";
import type { Draft } from "./drafts.ts";
import type { FieldSpec } from "./field_values.ts";

interface FieldsProps {
  draft: Draft;
  names: readonly string[];
  labels: Readonly<Record<string, string>>;
  hints?: Readonly<Record<string, string>>;
  /** The word for a choice. */
  word?: (field: string, option: string) => string;
  problem?: Problem | null;
  isReadOnly?: boolean;
}

/** Some fields of a form, two in a row where there is room. */
export function Fields(props: FieldsProps) {
  const { draft, names } = props;
  return (
    <div class="reg-fields">
      {names.flatMap((name) => {
        const spec = draft.specs.find((known) => known.name === name);
        return spec ? [<Field key={name} {...props} spec={spec} />] : [];
      })}
    </div>
  );
}

function Field({ spec, ...rest }: FieldsProps & { spec: FieldSpec }) {
  const { draft, labels, word, isReadOnly = false } = rest;
  const words = useWords().registry;
  const id = useId();
  const { name } = spec;
  const below = noteOf(name, rest, words);
  const shared = {
    ...{ id, name, value: draft.texts[name] ?? "", disabled: isReadOnly },
    "aria-describedby": below.text ? `${id}-more` : undefined,
    "aria-invalid": below.isMark ? ("true" as const) : undefined,
  };
  return (
    <div class={spec.wide || spec.kind === "area" ? "wide" : ""}>
      <label for={id}>
        {labels[name] ?? name}
        {spec.required ? <span class="required"> · {words.required}</span> : null}
      </label>
      <div class={`gm-field ${below.isMark ? "bad" : ""}`}>
        <Control
          spec={spec}
          shared={shared}
          onText={(text) => draft.set(name, text)}
          word={word}
          words={words}
        />
      </div>
      {below.text ? (
        <p class={below.isMark ? "gm-error" : "reg-hint"} id={`${id}-more`}>
          {below.text}
        </p>
      ) : null}
    </div>
  );
}

/** What stands below a field: why it was refused, what somebody else wrote, or how to fill it in. */
function noteOf(name: string, { draft, hints, problem }: FieldsProps, words: Words["registry"]) {
  const refused = problem?.body.errors?.find(({ field }) => field.split(".").pop() === name)?.message;
  if (refused !== undefined) {
    return { text: [refused, hints?.[name]].filter(Boolean).join(" · "), isMark: true };
  }
  const theirs = draft.theirs[name];
  if (theirs !== undefined) return { text: words.theirs(theirs || words.empty), isMark: true };
  return { text: hints?.[name], isMark: false };
}

interface ControlProps {
  spec: FieldSpec;
  shared: { id: string; name: string; value: string; disabled: boolean };
  onText: (text: string) => void;
  word: FieldsProps["word"];
  words: Words["registry"];
}

const TYPES: Partial<Record<FieldSpec["kind"], string>> = {
  day: "date",
  time: "datetime-local",
  phone: "tel",
  email: "email",
};

function Control({ spec, shared, onText, word, words }: ControlProps) {
  if (spec.kind === "choice" || spec.kind === "yesno") {
    const options = spec.kind === "yesno" ? ["yes", "no"] : (spec.options ?? []);
    const said = (option: string) => {
      if (spec.kind === "yesno") return option === "yes" ? words.yes : words.no;
      return word?.(spec.name, option) ?? option;
    };
    return (
      <select {...shared} onChange={(event) => onText(event.currentTarget.value)}>
        {spec.kind === "yesno" || spec.canBeEmpty ? <option value="">{words.unknown}</option> : null}
        {options.map((option) => (
          <option key={option} value={option}>
            {said(option)}
          </option>
        ))}
      </select>
    );
  }
  if (spec.kind === "area") {
    return <textarea {...shared} rows={2} onInput={(event) => onText(event.currentTarget.value)} />;
  }
  return (
    <input
      {...shared}
      // The library's types know each kind of field by itself; which one this is, is data here.
      type={(TYPES[spec.kind] ?? "text") as "text"}
      inputMode={spec.kind === "number" ? "decimal" : "text"}
      autoComplete="off"
      spellcheck={false}
      required={spec.required ?? false}
      onInput={(event) => onText(event.currentTarget.value)}
    />
  );
}

/** Bring the first field that was refused to whoever fills in the form. */
export function focusRefused(): void {
  requestAnimationFrame(() =>
    document.querySelector<HTMLElement>(".reg-side [aria-invalid=true]")?.focus({ preventScroll: false }),
  );
}

/** What the server refused: what happened, and what to do; beside the form, which keeps its content. */
export function Trouble({
  problem,
  labels = {},
}: {
  problem: Problem | null;
  labels?: Readonly<Record<string, string>>;
}) {
  const words = useWords();
  if (!problem) return null;
  const known: Record<string, string> = words.parts.problem;
  const { body } = problem;
  const said = body.code === "offline" ? [known.offline] : [body.title, body.detail, body.what_to_do];
  return (
    <div class="reg-trouble" role="alert">
      <Icon name="warn" />
      <div>
        {[...new Set(said.filter(Boolean))].map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
        {body.code === "stale_version" ? <p>{words.registry.stale}</p> : null}
        {(body.errors ?? []).map(({ field, message }) => (
          <p key={field}>
            {words.registry.fieldSays(labels[field.split(".").pop() ?? ""] ?? field, message)}
          </p>
        ))}
      </div>
    </div>
  );
}
