import { useLanguage, useWords } from "@shared/language.ts";
import { MapFoot, MapZoom } from "@shared/map/map_chrome.tsx";
import { MapPanel } from "@shared/map/map_panel.tsx";
import type { MapFrame, MapView } from "@shared/map/map_view.ts";
import type { MapMarks } from "@shared/map/marks.ts";
import { Icon } from "@shared/parts/icon.tsx";
import { useStore } from "@shared/store.ts";
import type { Words } from "@shared/words/zh.ts";
import { useState } from "preact/hooks";
import { mapControl, useCamera } from "./map_camera.ts";
import { marksOf } from "./map_marks.ts";
import type { PersonRow } from "./people.ts";
import { type Home, PEOPLE_MOST, useAeds, useCoverage, useDepots, useOnDuty } from "./places_nearby.ts";
import { useRegistryMap } from "./registry/registry_map.ts";
import { where } from "./registry/where.ts";
import { useRoutes, wantedRoutes } from "./routes.ts";
import { useRows } from "./rows.ts";
import { layers, type Panel, pin, plan as planStore, select, toggleLayer, view } from "./state.ts";
import { useQueue } from "./ticking.ts";

// Panels in which a click on the map says where.
const POINTING = new Set<Panel>(["new", "edit"]);

/** The map: it never moves by itself except when another incident is opened. */
export function CityMap({ home }: { home: Home }) {
  const words = useWords();
  const { panel } = useStore(view);
  const [map, setMap] = useState<MapView | null>(null);
  const [frame, setFrame] = useState<MapFrame | null>(null);
  const [baseMapOk, setBaseMapOk] = useState(true);
  const { marks, incident, age, idle, counted } = useMarks(frame);
  const registry = useRegistryMap(map);
  const onGesture = useCamera(map, home, incident, marks, idle && registry === null);
  const isPointing = registry ? registry.onPoint !== undefined : POINTING.has(panel);
  return (
    <main class={`map-panel ${isPointing ? "pointing" : ""}`} aria-label={words.parts.map.label}>
      <MapPanel
        label={words.parts.map.label}
        centre={home.centre}
        zoom={home.zoom}
        marks={registry?.marks ?? marks}
        onView={setMap}
        onMoved={setFrame}
        onGesture={onGesture}
        onBaseMap={setBaseMapOk}
        onPick={(kind, id) => {
          if (registry) registry.onPick(kind, id);
          else if (kind === "incident" && view.get().panel !== "new") select(id);
        }}
        onClick={(position) => {
          if (registry) registry.onPoint?.(position);
          else if (POINTING.has(view.get().panel)) pin.set({ position });
        }}
      />
      {registry ? <RegistryTitle note={registry.note} /> : null}
      {registry ? null : <BoardTitle idle={idle} counted={counted} />}
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
  const onDuty = useOnDuty(idle && where.get() === null, frame?.centre ?? null);
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

function RegistryTitle({ note }: { note: string | undefined }) {
  return note ? <div class="gm-float map-title">{note}</div> : null;
}

function BoardTitle({ idle, counted }: { idle: boolean; counted: number }) {
  return idle ? <IdleTitle counted={counted} /> : <LayerButtons />;
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
