import { useWords } from "@shared/language.ts";
import { Icon, type IconName } from "@shared/parts/icon.tsx";
import type { Role } from "@shared/shapes.ts";
import { useEffect } from "preact/hooks";
import { changeSignal } from "./alarm.ts";
import { type Change, readChange } from "./moves.ts";

const ICONS: Record<Role, IconName> = { via_aed: "aed", direct: "walk", guide: "navigate" };

/** The task is another one: above everything else until it is read. */
export function ChangedCard({ change }: { change: Change }) {
  const words = useWords().care.changed;
  const { role, aed, old } = change;
  useEffect(changeSignal, [change]);
  return (
    <section class={`changed ${role}`} role="alert" data-testid="changed">
      <Icon name={ICONS[role]} size={28} />
      <div class="card-text">
        <p>{words.title}</p>
        <h2>
          {role === "via_aed" && aed ? words.via_aed(aed) : role === "guide" ? words.guide : words.direct}
        </h2>
        {old ? <p>{words.old(old)}</p> : null}
      </div>
      <button type="button" class="phone-button" data-testid="changed-read" onClick={readChange}>
        {words.ok}
      </button>
    </section>
  );
}
