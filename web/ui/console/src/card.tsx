import { useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import type { Incident, Plan, Reservation } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { loadPlan } from "./actions.ts";
import { AmbulanceDrawer, AmbulanceRow } from "./ambulance.tsx";
import { attach } from "./attaching.ts";
import { CardHead } from "./card_head.tsx";
import { DisasterDrawer } from "./disaster_drawer.tsx";
import { DuplicateStrip } from "./duplicates.tsx";
import { EditDrawer } from "./edit_drawer.tsx";
import { EndDrawer } from "./end_panel.tsx";
import { FilesDrawer } from "./files_drawer.tsx";
import { LogDrawer } from "./log_drawer.tsx";
import { notChosen, type PersonRow } from "./people.ts";
import { AlertedList, NotChosenList } from "./people_list.tsx";
import { PlanPanel } from "./plan_panel.tsx";
import { ReviewPanel } from "./review_panel.tsx";
import { type OpenIncident, useRows } from "./rows.ts";
import { type Panel, plan as planStore, showPanel, view } from "./state.ts";
import { StockDrawer } from "./stock_drawer.tsx";
import { Timeline } from "./timeline.tsx";
import { TimerBlock } from "./timer_block.tsx";
import { ValueStrip, ValuesDrawer } from "./values_drawer.tsx";

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
    <Card incident={incident}>
      <CardHead incident={incident} />
      <TimerBlock incident={incident} rows={open.rows} hasAxis={panel !== "plan"} />
      <AmbulanceRow incident={incident} />
      <DuplicateStrip incident={incident} />
      <ValueStrip incident={incident} lines={open.lines} />
      {panel === "plan" ? <PlanPanel incident={incident} /> : null}
      {panel === "review" ? <ReviewPanel incident={incident} /> : null}
      {panel === "plan" || panel === "review" ? null : (
        <Body open={open} incident={incident} plan={plan} panel={panel} />
      )}
    </Card>
  );
}

/** The right column of an incident; files that are dropped on it are attached. */
function Card({ incident, children }: { incident: Incident; children: ComponentChildren }) {
  const words = useWords();
  const [isOver, setOver] = useState(false);
  return (
    <aside
      class={`side ${isOver ? "dropping" : ""}`}
      aria-label={words.domain.kind[incident.kind]}
      data-incident={incident.id}
      data-status={incident.status}
      data-drop={words.incidentLife.files.dropHere}
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        setOver(false);
        const files = [...(event.dataTransfer?.files ?? [])];
        if (files.length === 0) return;
        event.preventDefault();
        showPanel("files");
        void attach(incident.id, files);
      }}
    >
      {children}
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
        <More open={open} incident={incident} />
        <hr class="section-line" />
        <Timeline lines={open.lines} alerts={open.alerts} reservations={open.reservations} />
      </div>
      {panel === "ambulance" ? <AmbulanceDrawer incident={incident} /> : null}
      {panel === "end" ? <EndDrawer incident={incident} going={going} /> : null}
      {panel === "edit" ? <EditDrawer incident={incident} /> : null}
      {panel === "log" ? <LogDrawer incident={incident.id} /> : null}
      {panel === "stock" ? <StockDrawer incident={incident} reservations={open.reservations} /> : null}
      {panel === "values" ? <ValuesDrawer incident={incident} lines={open.lines} /> : null}
      {panel === "files" ? <FilesDrawer incident={incident} lines={open.lines} /> : null}
      {panel === "disaster" ? <DisasterDrawer incident={incident} /> : null}
      <ActionBar rows={open.rows} />
    </>
  );
}

/** What else belongs to it, each behind its key. */
function More({ open, incident }: { open: OpenIncident; incident: Incident }) {
  const words = useWords().incidentLife;
  const files = open.lines.filter(({ kind }) => kind === "attached").length;
  const doors: { panel: Panel; keycap: string; text: string }[] = [
    {
      panel: "files",
      keycap: "F",
      text: files ? `${words.files.title} ${words.files.count(files)}` : words.files.title,
    },
    { panel: "values", keycap: "V", text: words.value.title },
    { panel: "disaster", keycap: "B", text: words.disaster.title },
    { panel: "review", keycap: "H", text: words.review.short },
  ];
  return (
    <div class="more-doors" data-of={incident.id}>
      {doors.map(({ panel, keycap, text }) => (
        <Button
          key={panel}
          size="small"
          look="ghost"
          keycap={keycap}
          data-door={panel}
          onClick={() => showPanel(panel)}
        >
          {text}
        </Button>
      ))}
    </div>
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
      <Button
        size="small"
        look="ghost"
        class="right"
        keycap="G"
        data-door="stock"
        onClick={() => showPanel("stock")}
      >
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
  const drawer = ["ambulance", "end", "log", "edit", "values"].includes(panel);
  return (
    <div class="actions">
      <Button look={drawer ? "default" : "primary"} keycap="D" onClick={() => showPanel("plan")}>
        {rows.length ? words.widen : words.alert}
      </Button>
      <Button
        keycap="S"
        data-door="ambulance"
        aria-expanded={panel === "ambulance"}
        onClick={() => toggle("ambulance")}
      >
        {words.ambulance}
      </Button>
      <Button keycap="L" data-door="log" aria-expanded={panel === "log"} onClick={() => toggle("log")}>
        {words.log}
      </Button>
      <Button keycap="X" data-door="end" aria-expanded={panel === "end"} onClick={() => toggle("end")}>
        {words.end}
      </Button>
    </div>
  );
}
