import { createStore, useStore } from "./store.ts";
import { en } from "./words/en.ts";
import type { Words } from "./words/zh.ts";
import { zh } from "./words/zh.ts";

export type Language = "zh" | "en";

const KEY = "golden.language";
const store = createStore<Language>(firstLanguage());

function firstLanguage(): Language {
  if (typeof location === "undefined") return "zh";
  const asked = new URLSearchParams(location.search).get("lang") ?? read();
  if (asked === "zh" || asked === "en") return asked;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export const currentLanguage = (): Language => store.get();

/** The words of the present language, for code outside components. */
export const words = (): Words => (store.get() === "zh" ? zh : en);

export const useLanguage = (): Language => useStore(store);

export const useWords = (): Words => (useLanguage() === "zh" ? zh : en);

/** Switch the language, remember it on this device and tell assistive technology. */
export function setLanguage(language: Language): void {
  store.set(language);
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // Private browsing: the choice lasts for this page only.
  }
  applyLanguage();
}

/** Mark the document with the language; call once at start. */
export function applyLanguage(): void {
  document.documentElement.lang = store.get() === "zh" ? "zh-CN" : "en";
}
