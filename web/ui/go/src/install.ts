import { createStore, useStore } from "@shared/store.ts";

/** Chromium's offer to install; other browsers have a menu entry only. */
type InstallEvent = Event & { prompt(): Promise<unknown> };

const offer = createStore<InstallEvent | null>(null);

/** Keep the browser's offer until someone asks for it, and register the worker that serves without network. */
export function prepareInstall(): void {
  window.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    offer.set(event as InstallEvent);
  });
  if (import.meta.env.PROD && "serviceWorker" in navigator) {
    // The whole site, since the map's own worker is loaded from /assets; pages other than /go pass through.
    navigator.serviceWorker.register("/go-worker.js", { scope: "/" }).catch(() => undefined);
  }
}

/** A function that installs, "installed", or null where only the browser's menu can. */
export function useInstall(): (() => void) | "installed" | null {
  const event = useStore(offer);
  if (matchMedia("(display-mode: standalone)").matches) return "installed";
  if (!event) return null;
  return () => {
    offer.set(null);
    void event.prompt();
  };
}
