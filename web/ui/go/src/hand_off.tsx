import { useWords } from "@shared/language.ts";
import { mapLink, thisDevice } from "@shared/map/map_link.ts";
import type { Point } from "@shared/shapes.ts";
import { useState } from "preact/hooks";
import { Sheet } from "./sheet.tsx";

interface Target {
  position: Point;
  address: string | null;
}

/** Hand the way over to the phone's own map. */
export function HandOff({ target, onClose }: { target: Target | null; onClose: () => void }) {
  const words = useWords().go.hand;
  const [copied, setCopied] = useState<string | null>(null);
  if (!target) return null;
  const point = target.position.coordinates.map((n) => n.toFixed(6)).join(",");
  const copy = (text: string) =>
    navigator.clipboard.writeText(text).then(
      () => setCopied(text),
      () => undefined,
    );
  return (
    <Sheet title={words.title} onClose={onClose}>
      <a class="phone-button primary" href={mapLink(target.position, target.address, thisDevice())}>
        {words.geo}
      </a>
      {target.address ? (
        <button type="button" class="phone-button" onClick={() => copy(target.address ?? "")}>
          {copied === target.address ? words.copied : words.copyAddress}
        </button>
      ) : null}
      <button type="button" class="phone-button" onClick={() => copy(point)}>
        {copied === point ? words.copied : words.copyPoint}
      </button>
      <p class="sheet-label">{words.datum}</p>
    </Sheet>
  );
}
