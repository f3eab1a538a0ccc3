import { get, Problem } from "@shared/api.ts";
import type { Page } from "@shared/shapes.ts";
import { createStore, useStore } from "@shared/store.ts";
import { useCallback, useEffect, useState } from "preact/hooks";
import { onBoardEvent } from "../hear.ts";

type Query = Record<string, string | number | boolean | null | undefined>;

const SEARCH_PAUSE_MS = 160;
const PAGE_SIZE = 100;
const NEWS_PAUSE_MS = 400;

/** Counts what was changed here or told by the server; everything shown is asked for again. */
export const changes = createStore(0);
export const touch = (): void => changes.update((n) => n + 1);

const OF_REGISTRY = new Set(["aed_changed", "aeds_imported", "disaster_changed"]);

/** Listen for what anybody changed of what is shown, gathered for a moment. */
export function listenForChanges(isConcerned: () => boolean): () => void {
  let timer = 0;
  const stop = onBoardEvent((kind) => {
    if (!OF_REGISTRY.has(kind) && !isConcerned()) return;
    window.clearTimeout(timer);
    timer = window.setTimeout(touch, NEWS_PAUSE_MS);
  });
  return () => {
    window.clearTimeout(timer);
    stop();
  };
}

/** A value that has been the same for a moment. */
export function useSettled<T>(value: T, pauseMs = SEARCH_PAUSE_MS): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), pauseMs);
    return () => window.clearTimeout(timer);
  }, [value, pauseMs]);
  return settled;
}

export interface Listed<T> {
  items: T[];
  /** Nothing was answered yet. */
  isFirst: boolean;
  hasMore: boolean;
  /** Why there is nothing to show. */
  problem: Problem | null;
  more: () => void;
  again: () => void;
}

/** A list of the server, page by page; the old rows stand until the new ones are there. */
export function useList<T>(path: string, query: Query): Listed<T> {
  const [state, setState] = useState<{ items: T[]; cursor: string | null } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [stamp, setStamp] = useState(0);
  const key = JSON.stringify(query);
  const changed = useStore(changes);
  useEffect(() => {
    const stop = new AbortController();
    get<Page<T>>(path, { limit: PAGE_SIZE, ...(JSON.parse(key) as Query) }, stop.signal)
      .then(({ items, next_cursor }) => {
        setProblem(null);
        setState({ items, cursor: next_cursor });
      })
      .catch((error: unknown) => error instanceof Problem && setProblem(error));
    return () => stop.abort();
  }, [path, key, stamp, changed]);
  const more = () => {
    if (!state?.cursor) return;
    get<Page<T>>(path, { limit: PAGE_SIZE, ...(JSON.parse(key) as Query), cursor: state.cursor })
      .then((page) => setState({ items: [...state.items, ...page.items], cursor: page.next_cursor }))
      .catch((error: unknown) => error instanceof Problem && setProblem(error));
  };
  const again = useCallback(() => setStamp((n) => n + 1), []);
  return {
    ...{ items: state?.items ?? [], isFirst: state === null, hasMore: Boolean(state?.cursor) },
    ...{ problem, more, again },
  };
}

export interface Asked<T> {
  value: T | null;
  failed: boolean;
  /** Take what an answer to a change said. */
  set: (value: T) => void;
  again: () => void;
}

/** One thing of the server; null path asks nothing. */
export function useAsked<T>(path: string | null): Asked<T> {
  const [state, setState] = useState<{ path: string; value: T } | null>(null);
  const [failed, setFailed] = useState(false);
  const [stamp, setStamp] = useState(0);
  const changed = useStore(changes);
  useEffect(() => {
    if (path === null) return;
    const stop = new AbortController();
    setFailed(false);
    get<T>(path, {}, stop.signal)
      .then((value) => setState({ path, value }))
      .catch((error: unknown) => setFailed(!(error instanceof DOMException)));
    return () => stop.abort();
  }, [path, stamp, changed]);
  const set = useCallback((value: T) => path !== null && setState({ path, value }), [path]);
  const again = useCallback(() => setStamp((n) => n + 1), []);
  return { value: state && state.path === path ? state.value : null, failed, set, again };
}
