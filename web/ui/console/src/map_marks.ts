/** PURE. From the board, the plan and positions to what the map shows. */

import { minutesSeconds } from "@shared/clock.ts";
import { aedState, closesSoon } from "@shared/map/aed_state.ts";
import {
  type AedMark,
  type EtaMark,
  type HexagonMarks,
  type IncidentMark,
  type MapMarks,
  middleOf,
  type ResponderMark,
  type RouteMark,
} from "@shared/map/marks.ts";
import { freshness } from "@shared/parts/controls.tsx";
import type { Aed, Board, Coverage, Incident, Plan, Point } from "@shared/shapes.ts";
import type { Words } from "@shared/words/zh.ts";
import { hexagonCounts } from "./hexagon_counts.ts";
import { nameIn, placeText, shortName } from "./names.ts";
import type { PersonRow } from "./people.ts";
import type { Depot } from "./places_nearby.ts";
import type { DrawnRoute } from "./routes.ts";
import type { LayerChoice } from "./state.ts";

interface MapInput {
  words: Words;
  latin: boolean;
  now: number;
}

/** What the map rests on. */
export interface Scene {
  board: Board | null;
  selected: string | null;
  shown: LayerChoice;
  /** Nothing is open: counts per hexagon instead of things. */
  idle: boolean;
  /** The plan while it is being looked at. */
  plan: Plan | null;
  rows: readonly PersonRow[];
  routes: readonly DrawnRoute[];
  aeds: readonly Aed[];
  depots: readonly Depot[];
  coverage: Coverage | null;
  onDuty: readonly Point[];
}

const HEXAGON_M = 300;

/** Everything to draw. */
export function marksOf(
  scene: Scene,
  input: MapInput,
): Omit<MapMarks, "pin" | "self" | "ranks" | "outcomes" | "aedTiles"> {
  const { board, selected, shown, idle, plan, rows, routes } = scene;
  return {
    incidents: incidentMarks(board, selected, input.words),
    responders: shown.responders ? responderMarks(rows, plan, input) : [],
    aeds: shown.aeds && !idle ? aedMarks(scene.aeds, plan, rows, input) : [],
    depots: shown.depots && !idle ? depotMarks(scene.depots, input) : [],
    routes: routeMarks(routes),
    etas: etaMarks(routes, rows),
    hexagons: hexagonMarks(scene),
  };
}

const depotMarks = (depots: readonly Depot[], { latin }: MapInput) =>
  depots.map((depot) => ({ id: depot.id, position: depot.position, name: nameIn(depot, latin) }));

function hexagonMarks({ idle, onDuty, coverage, shown }: Scene): HexagonMarks | null {
  if (idle) return { look: "count", features: hexagonCounts(onDuty, HEXAGON_M) };
  return coverage && shown.coverage ? { look: "coverage", features: coverage.hexagons } : null;
}

const hourMinute = (time: string): string =>
  new Date(time).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

function incidentMarks(board: Board | null, selected: string | null, words: Words): IncidentMark[] {
  return Object.values(board?.incidents ?? {}).map((incident) => ({
    id: incident.id,
    position: incident.position,
    severity: incident.severity,
    selected: incident.id === selected,
    exercise: incident.exercise,
    title: `${words.domain.severity[incident.severity]}, ${words.domain.kind[incident.kind]}, ${placeText(incident)}`,
    ...(incident.id === selected ? { label: shortPlace(incident) } : {}),
  }));
}

const shortPlace = (incident: Incident): string => incident.address?.split(/[,，]/)[0] ?? placeText(incident);

/** People of the open incident: those asked; or, before anyone is asked, those the plan would ask. */
function responderMarks(rows: readonly PersonRow[], plan: Plan | null, input: MapInput): ResponderMark[] {
  const asked = rows
    .filter((row) => row.position !== null && !row.over)
    .map((row) => ({
      id: row.alert.responder,
      position: row.position,
      name: nameIn(row.alert, input.latin),
      state: row.look,
      ...(row.fresh === "stale" && row.positionAgeS !== null
        ? { label: input.words.parts.ago(row.positionAgeS) }
        : {}),
    }));
  const candidates = plan?.chosen ?? [];
  const shown = new Set(asked.map(({ id }) => id));
  const proposed = candidates
    .filter((candidate) => candidate.position !== null && !shown.has(candidate.responder))
    .map((candidate) => ({
      id: candidate.responder,
      position: candidate.position,
      name: nameIn(candidate, input.latin),
      state: freshness(candidate.position_age_s) === "stale" ? ("stale" as const) : ("recent" as const),
    }));
  return [...asked, ...proposed].flatMap((mark) =>
    mark.position ? [{ ...mark, position: mark.position }] : [],
  );
}

/** AEDs of the view, with those of the plan and of people's missions marked. */
function aedMarks(
  aeds: readonly Aed[],
  plan: Plan | null,
  rows: readonly PersonRow[],
  input: MapInput,
): AedMark[] {
  const fetchers = new Map(
    rows.filter((row) => row.alert.aed && !row.over).map((row) => [row.alert.aed?.id ?? "", row]),
  );
  const planned = new Set(plan?.aeds.filter(({ chosen }) => chosen).map(({ id }) => id));
  return aeds.map((aed) => {
    const fetcher = fetchers.get(aed.id);
    const taken = fetcher?.assignment?.times.aed_collected_at;
    const hours = hoursLabel(aed, input);
    return {
      id: aed.id,
      position: aed.position,
      name: aed.name,
      state: aedState(aed, input.now),
      planned: (planned.has(aed.id) || fetcher !== undefined) && !taken,
      ...(taken ? { label: input.words.parts.map.taken(hourMinute(taken)) } : hours ? { label: hours } : {}),
      ...(fetcher && !taken
        ? { above: input.words.parts.map.fetchBy(aed.name, shortName(nameIn(fetcher.alert, input.latin))) }
        : {}),
    };
  });
}

function hoursLabel(aed: Aed, { words, now }: MapInput): string | null {
  if (!aed.usable_until || aed.status === "out_of_service") return null;
  if (closesSoon(aed, now)) return words.parts.map.closes(hourMinute(aed.usable_until));
  const soon = Date.parse(aed.usable_until) - now < 12 * 3_600_000;
  return aed.usable === "no" && soon ? words.parts.map.opens(hourMinute(aed.usable_until)) : null;
}

const routeMarks = (routes: readonly DrawnRoute[]): RouteMark[] =>
  inDrawingOrder(routes).flatMap(({ id, kind, legs }) =>
    legs.map((line, index) => ({
      id: `${id} ${index}`,
      kind,
      line,
      ...(kind === "fetch" && legs.length > 1 && index === 0 ? { dotted: true } : {}),
    })),
  );

// The direct way lies on top: it is the shorter and would vanish under a shared street.
const inDrawingOrder = (routes: readonly DrawnRoute[]): DrawnRoute[] =>
  [...routes].sort((a, b) => Number(b.kind === "fetch") - Number(a.kind === "fetch"));

/** A badge on the middle of each route's last leg. */
function etaMarks(routes: readonly DrawnRoute[], rows: readonly PersonRow[]): EtaMark[] {
  return routes.flatMap((route) => {
    const last = route.legs.at(-1);
    const position = last ? middleOf(last) : null;
    const eta = rows.find((row) => row.alert.responder === route.id)?.etaS ?? route.etaS;
    if (!position || eta === null) return [];
    return [
      {
        id: route.id,
        position,
        kind: route.kind === "fetch" ? "via_aed" : "direct",
        text: minutesSeconds(eta),
      },
    ];
  });
}
