import { useWords } from "@shared/language.ts";
import { wordFor } from "@shared/words/zh.ts";
import { GROUPS, type GroupName, restOf } from "./policy_fields.ts";

interface Props {
  document: Readonly<Record<string, unknown>>;
  /** The shipped values, where they differ. */
  base?: Readonly<Record<string, unknown>> | null;
  changed?: readonly string[];
}

const plain = (value: unknown): string =>
  value === null || value === undefined
    ? "–"
    : Array.isArray(value)
      ? value.join(", ") || "–"
      : String(value);

/** The numbers of a policy with what each means; those that were changed stand out. */
export function PolicyNumbers({ document, base = null, changed = [] }: Props) {
  const own = useWords().office.policy;
  return (
    <>
      {(Object.keys(GROUPS) as GroupName[]).map((group) => (
        <section class="reg-group" key={group}>
          <h2>{own.groups[group]}</h2>
          <dl class="numbers">
            {GROUPS[group].map((name) => (
              <div key={name} class={changed.includes(name) ? "changed" : ""} data-field={name}>
                <dt>
                  {wordFor(own.fields, name)}
                  <small>{wordFor(own.hints, name)}</small>
                </dt>
                <dd>
                  {plain(document[name])}
                  {base && changed.includes(name) ? <small>{own.was(plain(base[name]))}</small> : null}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
      <Rest document={document} />
    </>
  );
}

/** What has no field of its own, for those who read JSON. */
export function Rest({ document }: { document: Readonly<Record<string, unknown>> }) {
  const own = useWords().office.policy;
  return (
    <details class="reg-fold reg-group">
      <summary>{own.more}</summary>
      <p class="reg-hint">{own.moreHint}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
      <pre class="json" tabIndex={0}>
        {JSON.stringify(restOf(document), null, 1)}
      </pre>
    </details>
  );
}
