import { get } from "@shared/api.ts";
import type { Page, Place } from "@shared/shapes.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import { home } from "./places_nearby.ts";

export type SearchState = "idle" | "searching" | "done" | "failed";

const PAUSE_MS = 120;

/** Places that fit what is typed, asked for after a short pause; only the newest answer counts. */
export function useSearch(text: string): { places: Place[]; state: SearchState; asked: string } {
  const [answer, setAnswer] = useState<{ places: Place[]; asked: string; failed: boolean }>({
    places: [],
    asked: "",
    failed: false,
  });
  const newest = useRef(0);
  const query = text.trim();
  useEffect(() => {
    newest.current += 1;
    const mine = newest.current;
    if (!query) return;
    const abort = new AbortController();
    const timer = window.setTimeout(() => {
      const [lon, lat] = home.get()?.centre ?? [];
      get<Pick<Page<Place>, "items">>("/search", { q: query, lon, lat, limit: 8 }, abort.signal)
        .then(
          ({ items }) => mine === newest.current && setAnswer({ places: items, asked: query, failed: false }),
        )
        .catch(() => mine === newest.current && setAnswer({ places: [], asked: query, failed: true }));
    }, PAUSE_MS);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [query]);
  if (!query) return { places: [], state: "idle", asked: "" };
  if (answer.asked !== query) return { places: answer.places, state: "searching", asked: answer.asked };
  return { places: answer.places, state: answer.failed ? "failed" : "done", asked: query };
}
