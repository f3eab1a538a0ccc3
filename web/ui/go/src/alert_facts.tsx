import { hourMinute, secondsSince, serverNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { aedTitle } from "@shared/map/aed_title.ts";
import { Icon, type IconName } from "@shared/parts/icon.tsx";
import type { PersonAlert, Role } from "@shared/shapes.ts";
import { wordFor } from "@shared/words/zh.ts";

interface Props {
  alert: PersonAlert;
}

const ICONS: Record<Role, IconName> = { via_aed: "aed", direct: "walk", guide: "navigate" };

/** What this person is asked to do. */
export function RoleCard({ alert }: Props) {
  const all = useWords();
  const words = all.go.alert;
  const medical = isMedical(alert);
  const aed = alert.role === "via_aed" ? alert.aed : null;
  return (
    <section class={`role-card ${alert.role}`}>
      <p class="caption">{words.yourTask}</p>
      <h2>
        <Icon name={ICONS[alert.role]} size={36} />
        {all.domain.role[alert.role]}
      </h2>
      {aed ? (
        <>
          <p class="role-place">{aedTitle(aed)}</p>
          <p class="role-more">
            {[
              aed.usable_until ? words.closes(hourMinute(aed.usable_until)) : words.usableNow,
              aed.access_note,
            ]
              .filter(Boolean)
              .join(" · ")}
          </p>
        </>
      ) : (
        <p class="role-place">
          {alert.role === "guide" ? all.care.guide.task : medical ? words.goPatient : words.goPlace}
        </p>
      )}
    </section>
  );
}

const isMedical = (alert: PersonAlert) => !["fire", "flood", "relief", "other"].includes(alert.incident.kind);

/** Minutes and metres, the two biggest things on the screen. */
export function Numbers({ alert }: Props) {
  const all = useWords();
  const words = all.go.alert;
  const bearing = wordFor(all.domain.bearing, alert.place?.bearing);
  const minutes = alert.travel_s === null ? "–" : Math.max(1, Math.ceil(alert.travel_s / 60));
  const towards = isMedical(alert) ? words.patient(bearing) : words.scene(bearing);
  return (
    <section class="numbers">
      <div>
        <p>
          {alert.role === "via_aed" ? words.wholeWalk : words.walk}
          {alert.eta_source === "estimate" ? ` · ${all.parts.estimate}` : ""}
        </p>
        <b>
          {minutes}
          <small>{words.minutes}</small>
        </b>
      </div>
      <div>
        <p>{bearing ? towards : words.distance}</p>
        <b>
          {alert.place?.distance_m ?? "–"}
          <small>{words.metres}</small>
        </b>
      </div>
    </section>
  );
}

/** The ambulance, the others, and how old my own position is. */
export function Facts({ alert }: Props) {
  const all = useWords();
  const words = all.go.alert;
  return (
    <dl class="facts">
      <div>
        <dt>{words.ambulance}</dt>
        <dd>{ambulanceText(alert, words)}</dd>
      </div>
      <div>
        <dt>{words.going}</dt>
        <dd>{alert.going > 0 ? words.goingCount(alert.going) : words.goingNone}</dd>
      </div>
      <div>
        <dt>{words.yourPosition}</dt>
        <dd>{positionText(alert, all)}</dd>
      </div>
    </dl>
  );
}

type AlertWords = ReturnType<typeof useWords>["go"]["alert"];

function ambulanceText({ incident }: PersonAlert, words: AlertWords): string {
  const { ambulance, ambulance_eta_at } = incident;
  const left = -(secondsSince(ambulance_eta_at, serverNow()) ?? 0);
  if (ambulance === "dispatched" && ambulance_eta_at && left > 0)
    return words.dispatchedEta(Math.ceil(left / 60));
  return wordFor(words.ambulanceState, ambulance);
}

function positionText(alert: PersonAlert, words: ReturnType<typeof useWords>): string {
  const age = alert.position_age_s;
  if (age === null) return words.go.alert.positionUnknown;
  const since = secondsSince(alert.notified_at, serverNow()) ?? 0;
  return words.parts.ago(Math.round(age + Math.max(0, since)));
}
