import { type Map as MapLibreMap, Marker } from "maplibre-gl";
import { render, type VNode } from "preact";
import { Badge } from "../parts/badge.tsx";
import { Avatar, initials } from "../parts/controls.tsx";
import { Icon } from "../parts/icon.tsx";
import type { Point } from "../shapes.ts";
import { clearOffsets, type Disc, type Spot } from "./clear_offsets.ts";
import {
  type EtaMark,
  type IncidentMark,
  type MapMarks,
  NO_MARKS,
  type PickKind,
  type ResponderMark,
} from "./marks.ts";
import { DEPOT_HOUSE } from "./symbols.ts";

/** One symbol that is an element of the page, so that it can be focused and read out. */
interface Spec {
  key: string;
  position: Point;
  className: string;
  content: VNode;
  anchor?: "center" | "bottom";
  pick?: [PickKind, string];
  title?: string;
  onDrag?: (position: Point) => void;
}

interface Placed {
  marker: Marker;
  element: HTMLElement;
  onDrag?: (position: Point) => void;
}

/** Keeps the page's symbols equal to the marks; an element lives as long as its thing. */
export class MarkerLayer {
  private readonly placed = new Map<string, Placed>();
  private marks: MapMarks = NO_MARKS;
  private readonly map: MapLibreMap;
  private readonly onPick: (kind: PickKind, id: string) => void;

  constructor(map: MapLibreMap, onPick: (kind: PickKind, id: string) => void) {
    this.map = map;
    this.onPick = onPick;
  }

  set(marks: MapMarks): void {
    const specs = specsOf(marks);
    const wanted = new Set(specs.map((spec) => spec.key));
    for (const [key, { marker, element }] of this.placed) {
      if (wanted.has(key)) continue;
      render(null, element);
      marker.remove();
      this.placed.delete(key);
    }
    for (const spec of specs) this.place(spec);
    this.marks = marks;
    this.spread();
  }

  /** Move arrival badges away from symbols and from one another; call after every camera move. */
  spread(): void {
    const at = ({ coordinates: [lon, lat] }: Point): Spot => this.map.project([lon, lat]);
    const { incidents, responders, aeds, depots, etas } = this.marks;
    const symbols: Disc[] = [
      ...incidents.map(({ position, selected }) => ({ ...at(position), r: selected ? 24 : 15 })),
      // The name below the open incident counts as three discs in a row.
      ...incidents.flatMap(({ position, selected, label }) =>
        selected && label
          ? [-50, 0, 50].map((dx) => ({ x: at(position).x + dx, y: at(position).y + 64, r: 9 }))
          : [],
      ),
      ...[...responders, ...depots].map(({ position }) => ({ ...at(position), r: 15 })),
      ...aeds.filter(({ planned }) => planned).map(({ position }) => ({ ...at(position), r: 18 })),
    ].map(({ x, y, r }) => ({ x, y, r }));
    const offsets = clearOffsets(
      etas.map(({ position }) => at(position)),
      symbols,
    );
    for (const [index, { id }] of etas.entries()) {
      this.placed.get(`eta ${id}`)?.marker.setOffset(offsets[index] ?? [0, 0]);
    }
  }

  private place(spec: Spec): void {
    const [lon, lat] = spec.position.coordinates;
    const there = this.placed.get(spec.key) ?? this.create(spec);
    there.marker.setLngLat([lon, lat]);
    there.onDrag = spec.onDrag;
    there.marker.setDraggable(spec.onDrag !== undefined);
    for (const name of [...there.element.classList])
      if (name.startsWith("gm-")) there.element.classList.remove(name);
    there.element.classList.add(...spec.className.split(" "));
    if (spec.title) there.element.setAttribute("aria-label", spec.title);
    render(spec.content, there.element);
  }

  private create(spec: Spec): Placed {
    const element = document.createElement(spec.pick ? "button" : "div");
    if (spec.pick) {
      const [kind, id] = spec.pick;
      element.setAttribute("type", "button");
      element.addEventListener("click", (event) => {
        event.stopPropagation();
        this.onPick(kind, id);
      });
    }
    const [lon, lat] = spec.position.coordinates;
    const marker = new Marker({ element, anchor: spec.anchor ?? "center" })
      .setLngLat([lon, lat])
      .addTo(this.map);
    // MapLibre names every marker "Map marker"; ours are named by what they show, or are decoration.
    if (!spec.title) element.removeAttribute("aria-label");
    const made: Placed = { marker, element };
    marker.on("dragend", () => {
      const { lng, lat } = marker.getLngLat();
      made.onDrag?.({ type: "Point", coordinates: [lng, lat] });
    });
    this.placed.set(spec.key, made);
    return made;
  }
}

function specsOf(marks: MapMarks): Spec[] {
  return [
    ...marks.depots.map(
      ({ id, position, name }): Spec => ({
        key: `depot ${id}`,
        position,
        className: "gm-mark gm-mark-depot",
        content: <DepotSymbol name={name} />,
        pick: ["depot", id],
        title: name,
      }),
    ),
    ...marks.responders.map(responderSpec),
    ...marks.ranks.map(
      ({ id, position, rank, title, selected }): Spec => ({
        key: `rank ${id}`,
        position,
        className: `gm-mark gm-mark-rank ${selected ? "gm-mark-selected" : ""}`.trim(),
        content: <span>{rank}</span>,
        pick: ["rank", id],
        title,
      }),
    ),
    ...marks.incidents.map(incidentSpec),
    ...marks.etas.map(etaSpec),
    ...selfAndPin(marks),
  ];
}

/** What is seen on the mark stands in its name as it is seen, for those who speak to their computer. */
function spoken(name: string, label: string | undefined): string {
  const seen = [initials(name), label].filter(Boolean).join(" ");
  return name.includes(seen) ? name : `${seen}, ${name}`;
}

function responderSpec({ id, position, name, state, label }: ResponderMark): Spec {
  return {
    key: `responder ${id}`,
    position,
    className: "gm-mark gm-mark-responder",
    content: (
      <>
        <Avatar name={name} state={state} /> {label ? <span class="gm-mark-label">{label}</span> : null}
      </>
    ),
    pick: ["responder", id],
    title: spoken(name, label),
  };
}

function incidentSpec({ id, position, severity, selected, exercise, title, label }: IncidentMark): Spec {
  return {
    key: `incident ${id}`,
    position,
    className: `gm-mark gm-mark-incident gm-mark-p${severity}${selected ? " gm-mark-selected" : ""}${exercise ? " gm-mark-exercise" : ""}`,
    content: (
      <>
        <Badge severity={severity} size={selected ? 40 : 28} />{" "}
        {label ? <span class="gm-mark-label">{label}</span> : null}
      </>
    ),
    pick: ["incident", id],
    // All that is read on it is in its name, too.
    // What is seen stands first and in its order, for those who speak to their computer.
    title: title ? `${[severity, label].filter(Boolean).join(" ")}, ${title}` : undefined,
  };
}

function etaSpec({ id, position, kind, text }: EtaMark): Spec {
  const mark =
    kind === "ambulance" ? <b>120</b> : <Icon name={kind === "via_aed" ? "aed" : "walk"} size={14} />;
  return {
    key: `eta ${id}`,
    position,
    className: `gm-mark gm-mark-eta gm-eta-${kind}`,
    content: (
      <span class="gm-eta">
        {mark}
        <span>{text}</span>
      </span>
    ),
  };
}

function selfAndPin({ self, pin }: MapMarks): Spec[] {
  const specs: Spec[] = [];
  if (self) {
    specs.push({
      key: "self",
      position: self.position,
      className: "gm-mark gm-mark-self",
      content: <span class="gm-self" />,
    });
  }
  if (pin) {
    specs.push({
      key: "pin",
      position: pin.position,
      className: `gm-mark gm-mark-pin ${pin.onDrag ? "gm-mark-draggable" : ""}`.trim(),
      anchor: "bottom",
      content: <PinSymbol label={pin.label} />,
      ...(pin.onDrag ? { onDrag: pin.onDrag } : {}),
    });
  }
  return specs;
}

function DepotSymbol({ name }: { name: string }) {
  return (
    <>
      <svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true">
        <rect
          x="1"
          y="1"
          width="22"
          height="22"
          rx="5"
          fill="var(--raised)"
          stroke="var(--ink2)"
          stroke-width="1.75"
        />
        <path d={DEPOT_HOUSE} fill="none" stroke="var(--ink2)" stroke-width="1.5" stroke-linejoin="round" />
      </svg>
      <span class="gm-mark-label">{name}</span>
    </>
  );
}

function PinSymbol({ label }: { label: string | undefined }) {
  return (
    <>
      {label ? <span class="gm-pin-label">{label}</span> : null}
      <svg width="28" height="36" viewBox="0 0 28 36" aria-hidden="true">
        <path
          d="M14 35S26 22.5 26 13.5a12 12 0 0 0-24 0C2 22.5 14 35 14 35Z"
          fill="var(--ink)"
          stroke="var(--raised)"
          stroke-width="2"
        />
        <circle cx="14" cy="13.5" r="4.5" fill="var(--raised)" />
      </svg>
    </>
  );
}
