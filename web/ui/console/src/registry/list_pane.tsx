import { useWords } from "@shared/language.ts";
import { Button, Segments } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { ComponentChildren } from "preact";
import { problemText } from "../toast.ts";
import type { Listed } from "./asking.ts";
import { useMayOpen } from "./rights.ts";
import { PAGES, type RegistryPage } from "./route.ts";
import { go, setFilter, useWhere } from "./where.ts";

/** Which page of the registry. */
function Pages() {
  const words = useWords().registry;
  const route = useWhere();
  const may = useMayOpen();
  return (
    <div class="reg-pages">
      <h1 class="sr-only">{words.title}</h1>
      <Segments<RegistryPage>
        label={words.pagesLabel}
        value={route?.page ?? null}
        options={PAGES.filter((page) => may(page)).map((page) => ({ value: page, text: words.pages[page] }))}
        onChange={(page) => go({ page, part: null, item: null })}
      />
    </div>
  );
}

interface PaneProps {
  title: string;
  children: ComponentChildren;
}

/** The left column: pages, then the list of this page. */
export function ListPane({ title, children }: PaneProps) {
  return (
    <nav class="queue reg-list-pane" aria-label={title}>
      <Pages />
      {children}
    </nav>
  );
}

interface SearchProps {
  text: string;
  onText: (text: string) => void;
  placeholder: string;
  newLabel: string;
  /** Left out where the person may only look. */
  onNew: (() => void) | undefined;
}

export function SearchRow({ text, onText, placeholder, newLabel, onNew }: SearchProps) {
  const words = useWords().registry;
  return (
    <div class="reg-search">
      <div class="gm-field">
        <Icon name="search" />
        <input
          type="search"
          aria-label={words.search}
          placeholder={placeholder}
          autoComplete="off"
          value={text}
          onInput={(event) => onText(event.currentTarget.value)}
        />
        <span class="gm-key" aria-hidden="true">
          /
        </span>
      </div>
      {onNew ? (
        <Button look="primary" size="small" keycap="N" title={newLabel} data-new="" onClick={onNew}>
          {words.add}
        </Button>
      ) : null}
    </div>
  );
}

interface FilterProps {
  name: string;
  label: string;
  options: readonly { value: string; text: string }[];
}

/** One filter; its choice stands in the address. */
export function Filter({ name, label, options }: FilterProps) {
  const route = useWhere();
  return (
    <div class={`gm-field reg-filter ${route?.filters[name] ? "on" : ""}`}>
      <select
        aria-label={label}
        value={route?.filters[name] ?? ""}
        onChange={(event) => setFilter(name, event.currentTarget.value)}
      >
        <option value="">{label}</option>
        {options.map(({ value, text }) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

interface RowProps {
  id: string;
  lead: ComponentChildren;
  title: string;
  right?: ComponentChildren;
  line: ComponentChildren;
  chips?: ComponentChildren;
  isCurrent: boolean;
  onOpen: () => void;
}

export function Row({ id, lead, title, right, line, chips, isCurrent, onOpen }: RowProps) {
  return (
    <button
      type="button"
      class="queue-row reg-row calm"
      data-id={id}
      aria-current={isCurrent ? "true" : undefined}
      onClick={isCurrent ? enterSide : onOpen}
    >
      <span class="lead">{lead}</span>
      <span class="title ellipsis">{title}</span>
      <span class="time">{right}</span>
      <span class="address ellipsis">{line}</span>
      {chips ? <span class="chips">{chips}</span> : null}
    </button>
  );
}

/** Enter on the open row goes on into its form. */
export function enterSide(): void {
  const fields = ":is(input, select, textarea):not(:disabled, [type=file])";
  document.querySelector<HTMLElement>(`.reg-side .side-scroll ${fields}`)?.focus();
}

interface RowsProps<T> {
  listed: Listed<T>;
  row: (item: T) => ComponentChildren;
  label: string;
  nothing?: ComponentChildren;
}

/** The rows of a list with what to say when there are none. */
export function Rows<T>({ listed, row, label, nothing }: RowsProps<T>) {
  const words = useWords();
  if (listed.problem && listed.items.length === 0) {
    return (
      <div class="reg-blank">
        <b>{words.registry.failed}</b>
        <p>{problemText(listed.problem)}</p>
        <Button size="small" onClick={listed.again}>
          {words.parts.retry}
        </Button>
      </div>
    );
  }
  if (listed.isFirst) return <Bars />;
  if (listed.items.length === 0)
    return <>{nothing ?? <Blank title={words.registry.none} line={words.registry.noneMore} />}</>;
  return (
    <section class="queue-list" aria-label={label}>
      {listed.items.map(row)}
      {listed.hasMore ? (
        <Button size="small" class="reg-more" onClick={listed.more}>
          {words.registry.more}
        </Button>
      ) : null}
    </section>
  );
}

export const Bars = () => (
  <div class="bars" role="status" aria-label={useWords().parts.loading}>
    <i />
    <i />
    <i />
    <i />
  </div>
);

export const Blank = ({ title, line }: { title: string; line?: string }) => (
  <div class="reg-blank">
    <b>{title}</b>
    {line ? <p>{line}</p> : null}
  </div>
);
