import { useLanguage, useWords } from "@shared/language.ts";
import { MapFoot, MapZoom } from "@shared/map/map_chrome.tsx";
import { MapPanel } from "@shared/map/map_panel.tsx";
import type { Camera, MapFrame, MapView } from "@shared/map/map_view.ts";
import type { MapMarks } from "@shared/map/marks.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Incident, Point } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import type { Words } from "@shared/words/zh.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import { marksOf } from "./map_marks.ts";
import type { PersonRow } from "./people.ts";
import { type Home, PEOPLE_MOST, useAeds, useCoverage, useDepots, useOnDuty } from "./places_nearby.ts";
import { useRoutes, wantedRoutes } from "./routes.ts";
import { useRows } from "./rows.ts";
import { layers, pin, plan as planStore, select, toggleLayer, view } from "./state.ts";
import { useQueue } from "./ticking.ts";

/** Where the middle column's map is reached from the keyboard. */
export const mapControl: { centre: () => void } = { centre: () => undefined };

const PADDING = { top: 130, right: 100, bottom: 90, left: 90 };

/** The map: it never moves by itself except when another incident is opened. */
export function CityMap({ home }: { home: Home }) {
  const words = useWords();
  const { panel } = useStore(view);
  const [map, setMap] = useState<MapView | null>(null);
  const [frame, setFrame] = useState<MapFrame | null>(null);
  const [baseMapOk, setBaseMapOk] = useState(true);
  const { marks, incident, age, idle, counted } = useMarks(frame);
  useCamera(map, home, incident, marks);
  return (
    <main class={`map-panel ${panel === "new" ? "pointing" : ""}`} aria-label={words.parts.map.label}>
      <MapPanel
        label={words.parts.map.label}
        centre={home.centre}
        zoom={home.zoom}
        marks={marks}
        onView={setMap}
        onMoved={setFrame}
        onBaseMap={setBaseMapOk}
        onPick={(kind, id) => kind === "incident" && view.get().panel !== "new" && select(id)}
        onClick={(position) => view.get().panel === "new" && pin.set({ position })}
      />
      {idle ? <IdleTitle counted={counted} /> : <LayerButtons />}
      <MapZoom view={map} onCentre={() => mapControl.centre()} centreKey={incident ? "M" : undefined} />
      <MapFoot frame={frame} baseMapOk={baseMapOk} attribution={home.attribution} positions={age} />
    </main>
  );
}

/** Everything to draw, made anew when something it rests on has changed. */
function useMarks(frame: MapFrame | null) {
  const words = useWords();
  const latin = useLanguage() === "en";
  const { board, now } = useQueue();
  const { selected, panel } = useStore(view);
  const shown = useStore(layers);
  const known = useStore(planStore);
  const open = useRows();
  const idle = Object.keys(board?.incidents ?? {}).length === 0 && panel !== "new";
  // Before anyone is asked the map shows the plan; afterwards what people do.
  const plan = panel === "plan" && known?.incident === selected ? known.plan : null;
  const onDuty = useOnDuty(idle, frame?.centre ?? null);
  const routes = useRoutes(shown.routes ? wantedRoutes(open.incident, open.rows, plan) : []);
  const scene = {
    ...{ board, selected, shown, idle, plan, routes, onDuty, rows: open.rows },
    aeds: useAeds(frame),
    depots: useDepots(),
    coverage: useCoverage(shown.coverage),
  };
  const marks: Partial<MapMarks> = { ...marksOf(scene, { words, latin, now }), pin: useStore(pin) };
  return {
    marks,
    incident: open.incident,
    age: positionsAge(open.rows, words),
    idle,
    counted: onDuty.length,
  };
}

function positionsAge(rows: readonly PersonRow[], words: Words): string | null {
  const ages = rows.filter((row) => row.assignment && !row.over).flatMap((row) => row.positionAgeS ?? []);
  return ages.length ? words.parts.map.positions(words.parts.ago(Math.max(...ages))) : null;
}

/** Fit once when another incident is opened; M centres and, pressed again, goes back. */
function useCamera(
  map: MapView | null,
  home: Home,
  incident: Incident | null,
  marks: Partial<MapMarks>,
): void {
  const fitted = useRef<string | null>(null);
  const before = useRef<Camera | null>(null);
  const pinned = useStore(pin);
  const places = (): Point[] => [
    ...(incident ? [incident.position] : []),
    ...(marks.responders ?? []).map(({ position }) => position),
    ...(marks.aeds ?? []).filter(({ planned }) => planned).map(({ position }) => position),
  ];
  const fitAll = () => map?.fit(places(), { maxZoom: 16.5, padding: PADDING });
  // Wait for the people of the incident, so that one movement shows them all.
  const settled = incident ? `${incident.id} ${marks.responders?.length ? "people" : "alone"}` : null;
  useEffect(() => {
    if (!map || !incident || !settled || fitted.current === settled) return;
    if (fitted.current === `${incident.id} people`) return;
    fitted.current = settled;
    before.current = null;
    fitAll();
  }, [map, settled]);
  useEffect(() => {
    if (map && pinned?.label) map.goTo(pinned.position.coordinates, Math.max(16, map.camera().zoom));
  }, [map, pinned]);
  mapControl.centre = () => {
    if (!map) return;
    if (!incident) map.goTo(home.centre, home.zoom);
    else if (before.current) {
      map.goTo(before.current.centre, before.current.zoom);
      before.current = null;
    } else {
      before.current = map.camera();
      fitAll();
    }
  };
}

function LayerButtons() {
  const words = useWords().console.layers;
  const shown = useStore(layers);
  return (
    <div class="gm-float gm-layers" role="toolbar" aria-label={words.label}>
      {(["aeds", "responders", "routes", "depots", "coverage"] as const).map((layer) => (
        <button key={layer} type="button" aria-pressed={shown[layer]} onClick={() => toggleLayer(layer)}>
          {words[layer]}
        </button>
      ))}
    </div>
  );
}

function IdleTitle({ counted }: { counted: number }) {
  const words = useWords().console.figures;
  return (
    <div class="gm-float map-title">
      <Icon name="people" />
      {counted < PEOPLE_MOST ? words.hexagons : words.hexagonsOf(counted)}
    </div>
  );
}
