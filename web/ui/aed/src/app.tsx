import { serverNow, useNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { aedState } from "@shared/map/aed_state.ts";
import { type City, loadCities, publicGround } from "@shared/map/city.ts";
import type { MapFrame, MapView } from "@shared/map/map_view.ts";
import type { AedMark, MapMarks } from "@shared/map/marks.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Place, Point } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { setTheme, useTheme } from "@shared/theme.ts";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { CallButton } from "./emergency.tsx";
import { FindSheet } from "./find_sheet.tsx";
import { finder, fits, lookFrom, looking, readBox, select, setCities, stopLooking } from "./finder.ts";
import { useMapPanel } from "./late_map.ts";
import { MapCredit } from "./map_credit.tsx";
import { ownPosition } from "./own_position.ts";
import { PickPlace } from "./pick_place.tsx";
import { ReportDialog } from "./report.tsx";
import { draft } from "./reporting.ts";
import { SearchBar } from "./search_bar.tsx";

/** The public map: one tap for the nearest AED that is usable now; the list comes before the map. */
export function App() {
  const words = useWords();
  const city = useCity();
  const [view, setView] = useState<MapView | null>(null);
  const [denied, setDenied] = useState(false);
  const picking = useStore(draft)?.picking ?? false;
  useFraming(view);
  useEffect(() => {
    document.title = `${words.parts.product} · ${words.aed.title}`;
  }, [words]);
  const look = (position: Point, own: boolean, label?: string) => {
    setDenied(false);
    void lookFrom({ position, own, label });
  };
  const locate = async () => {
    looking();
    const position = await ownPosition();
    if (position) return look(position, true);
    stopLooking();
    setDenied(true);
  };
  const onPlace = ({ kind, position, text }: Place) => {
    if (kind !== "aed") return look(position, false, text);
    show(idAt(position), view);
  };
  return (
    <main class="aed-page">
      <div class="top">
        <CallButton />
        <SearchBar onPlace={onPlace} />
      </div>
      {picking ? (
        <PickPlace view={view} />
      ) : (
        <FindSheet denied={denied} onLocate={() => void locate()} onShow={(id) => show(id, view)} />
      )}
      <ReportDialog hasMap={view !== null} />
      <MapButtons onLocate={() => void locate()} />
      <LateMap city={city} onView={setView} onClick={(position) => picking || look(position, false)} />
      <MapCredit city={city} />
    </main>
  );
}

interface LateProps {
  city: City | null;
  onView: (view: MapView) => void;
  onClick: (position: Point) => void;
}

/** The map, once its library is here; until then, and without it, the list does the work. */
function LateMap({ city, onView, onClick }: LateProps) {
  const words = useWords();
  const ground = useStore(publicGround);
  const marks = useMarks();
  const onMoved = useReading();
  const late = useMapPanel();
  if (late.failed)
    return (
      <p class="gm-map no-map" role="status">
        {words.aed.mapFailed}
      </p>
    );
  if (!late.Panel || !city) return <div class="gm-map" />;
  return (
    <late.Panel
      label={words.parts.map.label}
      ground={ground}
      centre={firstCentre(city)}
      zoom={ZOOM}
      marks={marks}
      onView={onView}
      onMoved={onMoved}
      onClick={onClick}
      onPick={(_kind, id) => select(id)}
    />
  );
}

const ZOOM = 14.4;
const SHEET_PX = 472;

/** The middle of the city; on a wide screen the middle of what the sheet leaves free. */
function firstCentre({ centre: [lon, lat] }: City): [number, number] {
  const degreesPerPixel = 360 / (512 * 2 ** ZOOM);
  return window.innerWidth >= 800 ? [lon - (SHEET_PX / 2) * degreesPerPixel, lat] : [lon, lat];
}

/** The first city; its AEDs are read at once, so that the list need not wait for the map. */
function useCity(): City | null {
  const [city] = useStore(finder).cities;
  useEffect(() => {
    void loadCities().then((cities) => {
      const [first] = cities;
      setCities(cities);
      if (!first) return;
      const [lon, lat] = first.centre;
      readBox([lon - 0.02, lat - 0.014, lon + 0.02, lat + 0.014]).catch(() => undefined);
    });
  }, []);
  return city ?? null;
}

function show(id: string | null, view: MapView | null): void {
  select(id);
  const aed = id ? finder.get().aeds[id] : undefined;
  if (aed) view?.goTo(aed.position.coordinates, 16.2);
}

const idAt = (position: Point): string | null =>
  Object.values(finder.get().aeds).find(
    (aed) => aed.position.coordinates.join() === position.coordinates.join(),
  )?.id ?? null;

/** Start and goal into view, clear of search bar and sheet, when there is an answer or a map. */
function useFraming(view: MapView | null): void {
  const { order } = useStore(finder);
  useEffect(() => {
    const { origin, selected, aeds } = finder.get();
    if (!view || !origin) return;
    const goal = selected ? aeds[selected] : null;
    const padding =
      window.innerWidth >= 800
        ? { top: 80, right: 80, bottom: 80, left: 480 }
        : { top: 166, right: 76, bottom: 56, left: 44 };
    view.fit(
      [origin.position, goal?.position].filter((at): at is Point => Boolean(at)),
      { padding, maxZoom: 17 },
    );
  }, [view, order]);
}

/** Read the AEDs of what the map shows, a moment after it has come to rest. */
function useReading(): (frame: MapFrame) => void {
  const timer = useRef(0);
  return ({ bounds }) => {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => readBox(bounds).catch(() => undefined), 200);
  };
}

function useMarks(): Partial<MapMarks> {
  const { aeds, filter, selected, origin } = useStore(finder);
  const minute = Math.floor(useNow(60_000) / 60_000);
  return useMemo(
    () => ({
      aeds: Object.values(aeds)
        .filter((aed) => aed.status !== "withdrawn" && (fits(aed, filter) || aed.id === selected))
        .map(
          (aed): AedMark => ({
            id: aed.id,
            position: aed.position,
            name: aed.name,
            state: aedState(aed, serverNow()),
            planned: aed.id === selected,
          }),
        ),
      self: origin?.own ? { position: origin.position, accuracyM: null } : null,
      pin: origin && !origin.own ? { position: origin.position, label: origin.label } : null,
    }),
    [aeds, filter, selected, origin, minute],
  );
}

function MapButtons({ onLocate }: { onLocate: () => void }) {
  const words = useWords();
  const theme = useTheme();
  const dark = theme === "dark";
  const label = `${words.parts.theme.label} · ${words.parts.theme[theme]}`;
  return (
    <div class="map-buttons">
      <button
        type="button"
        aria-label={label}
        title={label}
        onClick={() => setTheme(dark ? "light" : "dark")}
      >
        <Icon name={dark ? "moon" : "sun"} size={20} />
      </button>
      <button
        type="button"
        aria-label={words.aed.locate}
        title={words.aed.locate}
        data-testid="locate"
        onClick={onLocate}
      >
        <Icon name="target" size={22} />
      </button>
    </div>
  );
}
