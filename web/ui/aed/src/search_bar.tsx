import { setLanguage, useLanguage, useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Place } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useEffect, useState } from "preact/hooks";
import { type Filter, finder, search, setFilter } from "./finder.ts";

const PAUSE_MS = 250;

/** Search, language, and what to show. */
export function SearchBar({ onPlace }: { onPlace: (place: Place) => void }) {
  const words = useWords();
  const english = useLanguage() === "en";
  const [text, setText] = useState("");
  const found = useFound(text);
  const take = (place: Place) => {
    setText("");
    onPlace(place);
  };
  return (
    <search class="search-bar">
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
          const [first] = found?.items ?? [];
          if (first) take(first);
        }}
      >
        <Icon name="search" size={22} />
        <input
          type="search"
          enterkeyhint="search"
          value={text}
          placeholder={words.aed.search}
          aria-label={words.aed.search}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <button
          type="button"
          class="language"
          lang={english ? "zh-CN" : "en"}
          onClick={() => setLanguage(english ? "zh" : "en")}
        >
          {words.parts.language}
        </button>
      </form>
      {found ? <Results {...found} onTake={take} /> : <Filters />}
    </search>
  );
}

interface Found {
  items: Place[];
  failed: boolean;
}

/** Answers to the text, a moment after the last key. */
function useFound(text: string): Found | null {
  const [found, setFound] = useState<Found | null>(null);
  useEffect(() => {
    const asked = text.trim();
    if (!asked) {
      setFound(null);
      return;
    }
    let over = false;
    const timer = window.setTimeout(() => {
      const near = finder.get().origin?.position ?? null;
      search(asked, near)
        .then(
          (items) => ({ items, failed: false }),
          () => ({ items: [], failed: true }),
        )
        .then((answer) => over || setFound(answer));
    }, PAUSE_MS);
    return () => {
      over = true;
      window.clearTimeout(timer);
    };
  }, [text]);
  return found;
}

function Results({ items, failed, onTake }: Found & { onTake: (place: Place) => void }) {
  const words = useWords().aed;
  return (
    <div class="results" role="status">
      <ul>
        {items.map((item) => (
          <li key={`${item.text} ${item.position.coordinates.join()}`}>
            <button type="button" onClick={() => onTake(item)}>
              <Icon name={item.kind === "aed" ? "aed" : "pin"} size={20} />
              {item.text}
            </button>
          </li>
        ))}
      </ul>
      {items.length === 0 ? <p>{failed ? words.searchFailed : words.nothingFound}</p> : null}
    </div>
  );
}

const FILTERS: Filter[] = ["all", "always", "now"];

function Filters() {
  const words = useWords().aed.filters;
  const { filter } = useStore(finder);
  return (
    <fieldset class="pills">
      <legend class="sr-only">{words.label}</legend>
      {FILTERS.map((value) => (
        <button key={value} type="button" aria-pressed={filter === value} onClick={() => setFilter(value)}>
          {words[value]}
        </button>
      ))}
    </fieldset>
  );
}
