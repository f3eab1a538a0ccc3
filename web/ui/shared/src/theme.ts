import { createStore, useStore } from "./store.ts";

export type Theme = "light" | "dark" | "contrast";

const KEY = "golden.theme";
const store = createStore<Theme>("light");

/** Choose the stored theme, or the device's, and follow the device until someone chooses. */
export function startTheme(fallback?: Theme): void {
  const asked = new URLSearchParams(location.search).get("theme");
  const stored = asked ?? localStorage.getItem(KEY);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const device = (): Theme => {
    if (matchMedia("(prefers-contrast: more)").matches) return "contrast";
    return fallback ?? (dark.matches ? "dark" : "light");
  };
  store.set(isTheme(stored) ? stored : device());
  apply();
  dark.addEventListener("change", () => {
    if (isTheme(localStorage.getItem(KEY))) return;
    store.set(device());
    apply();
  });
}

export function setTheme(theme: Theme): void {
  store.set(theme);
  localStorage.setItem(KEY, theme);
  apply();
}

export const useTheme = (): Theme => useStore(store);
export const currentTheme = (): Theme => store.get();

const isTheme = (value: string | null): value is Theme =>
  value === "light" || value === "dark" || value === "contrast";

function apply(): void {
  document.documentElement.dataset.theme = store.get();
}
