import { floorText } from "@shared/floor.ts";
import { useWords } from "@shared/language.ts";
import { Badge } from "@shared/parts/badge.tsx";
import { Button } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Incident } from "@shared/shapes.ts";
import { DisasterChip } from "./disaster_drawer.tsx";
import { maskedPhone, placeText } from "./names.ts";
import { ExerciseLine } from "./review_panel.tsx";
import { showPanel } from "./state.ts";

/** What and where it is, and whatever is uncertain about it. */
export function CardHead({ incident }: { incident: Incident }) {
  const words = useWords();
  return (
    <header class={`card-head ${incident.exercise ? "gm-hatch" : ""}`}>
      {incident.exercise ? <ExerciseLine /> : null}
      <div class="row">
        <Badge severity={incident.severity} size={28} label={words.domain.severity[incident.severity]} />
        <h1 class="ellipsis">{words.domain.kind[incident.kind]}</h1>
        <Button size="small" look="ghost" keycap="E" onClick={() => showPanel("edit")}>
          {words.incident.edit.title}
        </Button>
      </div>
      <p class="address">
        <span class="ellipsis" title={placeText(incident)}>
          {placeText(incident)}
        </span>
        <span class="number">
          <DisasterChip incident={incident} />
          {incident.number}
        </span>
      </p>
      <Access incident={incident} />
    </header>
  );
}

function Access({ incident }: { incident: Incident }) {
  const words = useWords();
  return (
    <p class="access">
      {incident.entrance ? (
        <span>
          <Icon name="door" size={14} />
          {incident.entrance}
        </span>
      ) : null}
      {incident.floor ? (
        <span>
          <Icon name="floor" size={14} />
          {floorText(incident.floor, words)}
        </span>
      ) : null}
      {incident.caller_phone ? (
        <span>
          <Icon name="phone" size={14} />
          <a href={`tel:${incident.caller_phone}`} class="plain-link">
            {maskedPhone(incident.caller_phone)}
          </a>
        </span>
      ) : null}
      {incident.note ? (
        <span class="ellipsis" title={incident.note}>
          <Icon name="note" size={14} />
          {incident.note}
        </span>
      ) : null}
      {incident.entrance || incident.floor || incident.caller_phone || incident.note ? null : (
        <span>{words.domain.incidentStatus[incident.status]}</span>
      )}
    </p>
  );
}
