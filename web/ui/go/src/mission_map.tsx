import { minutesSeconds } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { MapPanel } from "@shared/map/map_panel.tsx";
import type { MapView } from "@shared/map/map_view.ts";
import { type MapMarks, middleOf } from "@shared/map/marks.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Mission, Point } from "@shared/shapes.ts";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Walk } from "./route.ts";

interface Props {
  mission: Mission;
  self: Point | null;
  accuracyM: number | null;
  walk: Walk | null;
}

/** Clear of the pill above and the buttons below; a short map gives less. */
const paddingOf = () =>
  window.innerHeight <= 700
    ? { top: 88, right: 70, bottom: 96, left: 70 }
    : { top: 104, right: 60, bottom: 96, left: 60 };

/** Me, the AED, the patient and the walk between. */
export function MissionMap({ mission, self, accuracyM, walk }: Props) {
  const words = useWords();
  const [view, setView] = useState<MapView | null>(null);
  const held = useRef(false);
  const marks = useMissionMarks({ mission, self, accuracyM, walk });
  const places = [...placesOf(mission, self), ...pointsOf(walk)];
  const show = () => view?.fit(places, { padding: paddingOf(), maxZoom: 17 });
  const key = `${mission.route_version} ${walk ? 1 : 0} ${self ? 1 : 0} ${mission.aed?.id} ${mission.times.aed_collected_at ? 1 : 0}`;
  useEffect(() => {
    // The camera follows what the mission asks for, never a hand that has moved it.
    if (!held.current) show();
  }, [view, key]);
  const { position } = mission.incident;
  if (!position) return null;
  return (
    <>
      <MapPanel
        label={words.parts.map.label}
        centre={position.coordinates}
        zoom={16}
        marks={marks}
        onView={setView}
        onGesture={() => {
          held.current = true;
        }}
      />
      <button
        type="button"
        class="float centre"
        aria-label={words.parts.map.centre}
        onClick={() => {
          held.current = false;
          show();
        }}
      >
        <Icon name="target" size={22} />
      </button>
      <a class="map-credit" href="https://www.openstreetmap.org/copyright" target="_blank" rel="noreferrer">
        © OpenStreetMap contributors
      </a>
    </>
  );
}

/** The way too: it may go round. */
const pointsOf = (walk: Walk | null): Point[] =>
  (walk?.legs ?? []).flatMap(({ line }) =>
    line.coordinates.map(([lon = 0, lat = 0]) => ({
      type: "Point" as const,
      coordinates: [lon, lat] as [number, number],
    })),
  );

function placesOf({ incident, aed, times }: Mission, self: Point | null): Point[] {
  const ahead = [incident.position, times.aed_collected_at ? undefined : aed?.position];
  return [self, ...ahead].filter((place): place is Point => Boolean(place));
}

function useMissionMarks({ mission, self, accuracyM, walk }: Props): Partial<MapMarks> {
  const words = useWords();
  const { incident, aed, role } = mission;
  return useMemo(
    () => ({
      incidents: incident.position
        ? [
            {
              id: incident.id,
              position: incident.position,
              severity: incident.severity ?? 1,
              selected: true,
              exercise: incident.exercise,
              title: words.domain.kind[incident.kind],
            },
          ]
        : [],
      aeds: aed
        ? [
            {
              id: aed.id,
              position: aed.position,
              name: aed.name,
              state: "usable",
              planned: true,
              above: aed.name,
            },
          ]
        : [],
      self: self ? { position: self, accuracyM } : null,
      ...lines(walk, role),
    }),
    [incident, aed, self, accuracyM, walk, role, words],
  );
}

/** Dotted to the AED, solid to the patient; the time of the last leg sits on its middle. */
function lines(walk: Walk | null, role: Mission["role"]): Pick<MapMarks, "routes" | "etas"> {
  if (!walk) return { routes: [], etas: [] };
  const kind = role === "via_aed" ? "fetch" : "direct";
  const last = walk.legs.at(-1);
  const middle = last ? middleOf(last.line) : null;
  return {
    routes: walk.legs.map(({ line }, i) => ({
      id: `leg ${i}`,
      kind,
      line,
      dotted: i < walk.legs.length - 1,
    })),
    etas:
      last && middle
        ? [
            {
              id: "last",
              kind: role === "guide" ? "direct" : role,
              position: middle,
              text: minutesSeconds(last.seconds),
            },
          ]
        : [],
  };
}
