import { createStore, useStore } from "@shared/store.ts";
import { view } from "../state.ts";
import { formatHash, parseHash, type Route } from "./route.ts";

/** Where in the registry the operator is; null while the board is shown. The address says it. */
export const where = createStore<Route | null>(parseHash(location.hash));

export const useWhere = (): Route | null => useStore(where);

// The place to which the key returns; a form that was left keeps what was typed.
let last: Route = { page: "aeds", part: null, item: null, filters: {} };

window.addEventListener("hashchange", () => settle(parseHash(location.hash)));

function settle(route: Route | null): void {
  if (route) last = route;
  where.set(route);
}

/** Go somewhere in the registry; what is not said stays as it is. */
export function go(to: Partial<Route>): void {
  const route = { ...(where.get() ?? last), ...to };
  // Another list has other filters.
  if (to.page !== undefined && to.page !== where.get()?.page && !to.filters) route.filters = {};
  settle(route);
  history.pushState(null, "", formatHash(route));
}

/** Change a filter without another step in the browser's history. */
export function setFilter(name: string, value: string): void {
  const now = where.get();
  if (!now) return;
  const route = { ...now, filters: { ...now.filters, [name]: value } };
  settle(route);
  history.replaceState(null, "", formatHash(route));
}

export function leaveRegistry(): void {
  where.set(null);
  history.pushState(null, "", location.pathname + location.search);
}

export function toggleRegistry(): void {
  if (where.get()) leaveRegistry();
  else go(last);
}

// Whoever opens an incident, from an alarm or by a key, wants to see it.
let seen = view.get();
view.subscribe(() => {
  const now = view.get();
  // Choosing the one that is chosen already says so too: nothing else sets the same view again.
  const opened = now.selected !== null && (now.selected !== seen.selected || now.panel === seen.panel);
  const worked = now.panel !== seen.panel && !["none", "help", "alarms"].includes(now.panel);
  seen = now;
  if (where.get() && (opened || worked)) leaveRegistry();
});
