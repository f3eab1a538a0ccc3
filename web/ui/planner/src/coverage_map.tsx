import { useNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { aedState } from "@shared/map/aed_state.ts";
import { MapFoot, MapZoom } from "@shared/map/map_chrome.tsx";
import { MapPanel } from "@shared/map/map_panel.tsx";
import type { MapFrame, MapView } from "@shared/map/map_view.ts";
import type { AedMark, MapMarks } from "@shared/map/marks.ts";
import { COVERAGE_CLASSES } from "@shared/map/palette.ts";
import { useStore } from "@shared/store.ts";
import { useEffect, useMemo, useState } from "preact/hooks";
import { camera } from "./camera.ts";
import { HourStrip } from "./hour_strip.tsx";
import { cityOf, plan } from "./plan_state.ts";

/** The hexagons with the AEDs above them; below, the week. */
export function CoverageMap() {
  const words = useWords();
  const state = useStore(plan);
  const marks = useMarks();
  const [view, setView] = useState<MapView | null>(null);
  const [frame, setFrame] = useState<MapFrame | null>(null);
  const [ok, setOk] = useState(true);
  const city = cityOf(state);
  const first = state.coverage?.hexagons.features.length ?? 0;
  const show = () =>
    view?.fit(corners(state.coverage?.hexagons), {
      padding: { top: 24, right: 60, bottom: 190, left: 24 },
      maxZoom: 16,
    });
  useEffect(show, [view, city?.name, first > 0]);
  useEffect(() => camera.set(view), [view]);
  if (!city) return <main class="map-cell" aria-busy="true" />;
  return (
    <main class="map-cell" aria-label={words.planner.map}>
      <MapPanel
        key={city.name}
        label={words.planner.map}
        centre={city.centre}
        zoom={14}
        marks={marks}
        onView={setView}
        onMoved={setFrame}
        onBaseMap={setOk}
      />
      <MapZoom view={view} onCentre={show} />
      <Legend />
      <MapFoot
        frame={frame}
        baseMapOk={ok}
        attribution={state.coverage?.attribution ?? city.attribution}
        mapNumber={words.parts.map.notSurveyed}
      />
      <HourStrip />
    </main>
  );
}

function corners(hexagons: GeoJSON.FeatureCollection<GeoJSON.Polygon> | undefined) {
  const points = hexagons?.features.flatMap((feature) => feature.geometry.coordinates[0]?.[0] ?? []) ?? [];
  const pairs = Array.from({ length: points.length / 2 }, (_, i) => [
    points[i * 2] ?? 0,
    points[i * 2 + 1] ?? 0,
  ]);
  return pairs.map(([lon = 0, lat = 0]) => ({
    type: "Point" as const,
    coordinates: [lon, lat] as [number, number],
  }));
}

function useMarks(): Partial<MapMarks> {
  const { coverage, aeds } = useStore(plan);
  const minute = Math.floor(useNow(60_000) / 60_000);
  const at = coverage ? Date.parse(coverage.at) : minute * 60_000;
  return useMemo(
    () => ({
      hexagons: coverage ? { features: coverage.hexagons, look: "coverage" } : null,
      aeds: aeds
        .filter((aed) => aed.status !== "withdrawn")
        .map(
          (aed): AedMark => ({
            id: aed.id,
            position: aed.position,
            name: aed.name,
            state: aedState(aed, at),
            planned: false,
            dot: true,
          }),
        ),
    }),
    [coverage, aeds, at],
  );
}

function Legend() {
  const words = useWords().planner;
  const { coverage, question } = useStore(plan);
  const kind = words.demandKinds[coverage?.demand === "street" ? "street" : "building"];
  return (
    <div class="gm-float legend">
      <p>{words.legend(question.withinS / 60, kind)}</p>
      <div class="legend-bar" aria-hidden="true">
        {COVERAGE_CLASSES.map((colour) => (
          <i key={colour} style={{ backgroundColor: colour }} />
        ))}
      </div>
      <div class="legend-scale">
        {["0", "20", "40", "60", "80", "100%"].map((mark) => (
          <span key={mark}>{mark}</span>
        ))}
      </div>
    </div>
  );
}
