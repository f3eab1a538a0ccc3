/** PURE. Fields of a form: what the server says as text to be edited, and back. */

export interface FieldSpec {
  name: string;
  kind: "text" | "area" | "day" | "time" | "number" | "choice" | "yesno" | "words" | "phone" | "email";
  required?: boolean;
  /** Of a choice; with `canBeEmpty` none of them may be said too. */
  options?: readonly string[];
  canBeEmpty?: boolean;
  /** Takes the whole width of the form. */
  wide?: boolean;
}

export type Texts = Readonly<Record<string, string>>;

/** A field that was touched, with what the server said when it was touched first. */
export interface Edit {
  text: string;
  base: string;
}
export type Edits = Readonly<Record<string, Edit>>;

const two = (n: number) => String(n).padStart(2, "0");

/** A time as a local date-and-time field wants it: 2026-11-22T08:30. */
function localTime(instant: string): string {
  const at = new Date(instant);
  if (Number.isNaN(at.getTime())) return "";
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

function textOf({ kind }: FieldSpec, value: unknown): string {
  if (value === null || value === undefined) return "";
  if (kind === "time") return localTime(String(value));
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}

/** What is sent for a text; an empty one is null, a number that is none stays text and is refused. */
export function sentOf({ kind }: FieldSpec, text: string): unknown {
  const said = text.trim();
  if (kind === "words") return said.split(/[,，、;；\n]/).flatMap((word) => word.trim() || []);
  if (said === "") return null;
  if (kind === "yesno") return said === "yes";
  if (kind === "number") return Number.isFinite(Number(said)) ? Number(said) : said;
  if (kind === "time") return Number.isNaN(Date.parse(said)) ? said : new Date(said).toISOString();
  return said;
}

export const textsOf = (specs: readonly FieldSpec[], thing: object): Texts =>
  Object.fromEntries(
    specs.map((spec) => [spec.name, textOf(spec, (thing as Record<string, unknown>)[spec.name])]),
  );

/** What is in the fields: the server's word, and over it what was typed. */
export const withEdits = (saved: Texts, edits: Edits): Texts => ({
  ...saved,
  ...Object.fromEntries(Object.entries(edits).map(([name, { text }]) => [name, text])),
});

/** Only what differs from the server's word. */
export function changesOf(specs: readonly FieldSpec[], saved: Texts, edits: Edits): Record<string, unknown> {
  const changed = specs.filter(({ name }) => edits[name] && edits[name].text !== (saved[name] ?? ""));
  return Object.fromEntries(changed.map((spec) => [spec.name, sentOf(spec, edits[spec.name]?.text ?? "")]));
}

/** All that was said, for something new. */
export function allOf(specs: readonly FieldSpec[], texts: Texts): Record<string, unknown> {
  const said = specs.filter(({ name }) => (texts[name] ?? "").trim() !== "");
  return Object.fromEntries(said.map((spec) => [spec.name, sentOf(spec, texts[spec.name] ?? "")]));
}

export const missingOf = (specs: readonly FieldSpec[], texts: Texts): string[] =>
  specs.filter(({ name, required }) => required && !(texts[name] ?? "").trim()).map(({ name }) => name);

/** Fields that were typed in here and changed elsewhere meanwhile, with what the other said. */
export const conflictsOf = (saved: Texts, edits: Edits): Texts =>
  Object.fromEntries(
    Object.entries(edits).flatMap(([name, { text, base }]) => {
      const theirs = saved[name] ?? "";
      return theirs !== base && theirs !== text ? [[name, theirs]] : [];
    }),
  );
