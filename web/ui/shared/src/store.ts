import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** One immutable value that can be replaced, watched and selected from. */
export interface Store<T> {
  get(): T;
  set(next: T): void;
  update(change: (value: T) => T): void;
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  const set = (next: T) => {
    if (Object.is(next, value)) return;
    value = next;
    for (const listener of [...listeners]) listener();
  };
  return {
    get: () => value,
    set,
    update: (change) => set(change(value)),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Render again only when what `pick` returns is another value. */
export function useSelect<T, S>(store: Store<T>, pick: (value: T) => S): S {
  const [, redraw] = useState(0);
  const picked = pick(store.get());
  const latest = useRef({ picked, pick });
  latest.current = { picked, pick };
  // Not after the next paint: what is typed before it would be missed by whoever reads it at once.
  useLayoutEffect(() => {
    const check = () => {
      const next = latest.current.pick(store.get());
      if (!Object.is(next, latest.current.picked)) redraw((n) => n + 1);
    };
    check();
    return store.subscribe(check);
  }, [store]);
  return picked;
}

export const useStore = <T>(store: Store<T>): T => useSelect(store, (value) => value);
