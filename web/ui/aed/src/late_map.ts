import type { MapPanel } from "@shared/map/map_panel.tsx";
import { useEffect, useState } from "preact/hooks";

interface Late {
  Panel: typeof MapPanel | null;
  failed: boolean;
}

const LATEST_MS = 1500;

/** The map's library, asked for when the list stands and the browser has nothing better to do. */
export function useMapPanel(): Late {
  const [late, setLate] = useState<Late>({ Panel: null, failed: false });
  useEffect(() => {
    const load = () =>
      import("@shared/map/map_panel.tsx").then(
        (module) => setLate({ Panel: module.MapPanel, failed: false }),
        () => setLate({ Panel: null, failed: true }),
      );
    // Safari has no idle callbacks.
    if (typeof requestIdleCallback === "function")
      requestIdleCallback(() => void load(), { timeout: LATEST_MS });
    else window.setTimeout(() => void load(), 300);
  }, []);
  return late;
}
