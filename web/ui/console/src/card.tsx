import { useWords } from "@shared/language.ts";
import { Badge } from "@shared/parts/badge.tsx";
import { Button, Chip } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Incident, Plan, Reservation } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useEffect } from "preact/hooks";
import { loadPlan } from "./actions.ts";
import { AmbulanceDrawer, AmbulanceRow } from "./ambulance.tsx";
import { EditDrawer } from "./edit_drawer.tsx";
import { EndDrawer } from "./end_panel.tsx";
import { LogDrawer } from "./log_drawer.tsx";
import { maskedPhone, placeText } from "./names.ts";
import { notChosen, type PersonRow } from "./people.ts";
import { AlertedList, NotChosenList } from "./people_list.tsx";
import { PlanPanel } from "./plan_panel.tsx";
import { type OpenIncident, useRows } from "./rows.ts";
import { type Panel, plan as planStore, showPanel, view } from "./state.ts";
import { StockDrawer } from "./stock_drawer.tsx";
import { Timeline } from "./timeline.tsx";
import { TimerBlock } from "./timer_block.tsx";

/** One incident: facts, timers, 120, who is going and who not, what happened, what to do next. */
export function IncidentCard() {
  const open = useRows();
  const { panel } = useStore(view);
  const known = useStore(planStore);
  const { incident } = open;
  useFreshPlan(incident);
  if (!incident)
    return (
      <aside class="side bars">
        <i />
        <i />
        <i />
      </aside>
    );
  const plan = known?.incident === incident.id ? known.plan : null;
  return (
    <aside
      class="side"
      aria-label={useWords().domain.kind[incident.kind]}
      data-incident={incident.id}
      data-status={incident.status}
    >
      <Head incident={incident} />
      <TimerBlock incident={incident} rows={open.rows} />
      <AmbulanceRow incident={incident} />
      {panel === "plan" ? (
        <PlanPanel incident={incident} />
      ) : (
        <Body open={open} incident={incident} plan={plan} panel={panel} />
      )}
    </aside>
  );
}

/** Keep the reasons of those not chosen true: ask again when a wave has gone out. */
function useFreshPlan(incident: Incident | null): void {
  const asked = incident?.counts.alerted ?? 0;
  useEffect(() => {
    if (incident && asked > 0) loadPlan(incident.id).catch(() => null);
  }, [incident?.id, asked]);
}

function Head({ incident }: { incident: Incident }) {
  const words = useWords();
  return (
    <header class={`card-head ${incident.exercise ? "gm-hatch" : ""}`}>
      <div class="row">
        <Badge severity={incident.severity} size={28} label={words.domain.severity[incident.severity]} />
        <h1 class="ellipsis">{words.domain.kind[incident.kind]}</h1>
        {incident.exercise ? <Chip look="drill">{words.parts.exercise}</Chip> : null}
        <Button size="small" look="ghost" keycap="E" onClick={() => showPanel("edit")}>
          {words.incident.edit.title}
        </Button>
      </div>
      <p class="address">
        <span class="ellipsis" title={placeText(incident)}>
          {placeText(incident)}
        </span>
        <span class="number">{incident.number}</span>
      </p>
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
            {incident.floor}
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
    </header>
  );
}

// Kinds that live on goods; for the others the key still opens the drawer.
const STOCK_KINDS = new Set<Incident["kind"]>(["relief", "flood", "fire", "other"]);

interface BodyProps {
  open: OpenIncident;
  incident: Incident;
  plan: Plan | null;
  panel: Panel;
}

function Body({ open, incident, plan, panel }: BodyProps) {
  const going = open.rows.filter((row) => !row.over).length;
  return (
    <>
      <div class="side-scroll">
        <AlertedList rows={open.rows} />
        <NotChosenList candidates={open.alerts.length > 0 ? notChosen(plan, open.alerts) : []} />
        {STOCK_KINDS.has(incident.kind) || open.reservations.length > 0 ? (
          <StockRow reservations={open.reservations} />
        ) : null}
        <hr class="section-line" />
        <Timeline lines={open.lines} alerts={open.alerts} reservations={open.reservations} />
      </div>
      {panel === "ambulance" ? <AmbulanceDrawer incident={incident} /> : null}
      {panel === "end" ? <EndDrawer incident={incident} going={going} /> : null}
      {panel === "edit" ? <EditDrawer incident={incident} /> : null}
      {panel === "log" ? <LogDrawer incident={incident.id} /> : null}
      {panel === "stock" ? <StockDrawer incident={incident} reservations={open.reservations} /> : null}
      <ActionBar rows={open.rows} />
    </>
  );
}

/** What is set aside for this incident, and the way to more. */
function StockRow({ reservations }: { reservations: Reservation[] }) {
  const words = useWords().incident;
  const active = reservations.filter(({ status }) => status !== "released" && status !== "expired");
  return (
    <div class="group-title">
      <h2>{words.actions.stock}</h2>
      <span>{words.stock.count(active.length)}</span>
      <Button size="small" look="ghost" class="right" keycap="G" onClick={() => showPanel("stock")}>
        {words.stock.reserve}
      </Button>
    </div>
  );
}

function ActionBar({ rows }: { rows: PersonRow[] }) {
  const words = useWords().incident.actions;
  const { panel } = useStore(view);
  const toggle = (name: Panel) => showPanel(panel === name ? "none" : name);
  // While a drawer is open its own button is the one primary.
  const drawer = ["ambulance", "end", "log", "edit"].includes(panel);
  return (
    <div class="actions">
      <Button look={drawer ? "default" : "primary"} keycap="D" onClick={() => showPanel("plan")}>
        {rows.length ? words.widen : words.alert}
      </Button>
      <Button keycap="S" aria-expanded={panel === "ambulance"} onClick={() => toggle("ambulance")}>
        {words.ambulance}
      </Button>
      <Button keycap="L" aria-expanded={panel === "log"} onClick={() => toggle("log")}>
        {words.log}
      </Button>
      <Button keycap="X" aria-expanded={panel === "end"} onClick={() => toggle("end")}>
        {words.end}
      </Button>
    </div>
  );
}
