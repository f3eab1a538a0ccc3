import { serverNow, useNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { aedState } from "@shared/map/aed_state.ts";
import { type City, loadCities } from "@shared/map/city.ts";
import { MapPanel } from "@shared/map/map_panel.tsx";
import type { MapFrame, MapView } from "@shared/map/map_view.ts";
import type { AedMark, MapMarks } from "@shared/map/marks.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Place, Point } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { setTheme, useTheme } from "@shared/theme.ts";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { FindSheet } from "./find_sheet.tsx";
import { finder, fits, lookFrom, readBox, select } from "./finder.ts";
import { SearchBar } from "./search_bar.tsx";

/** The public map: tap a place, get the nearest AED that is usable now. */
export function App() {
  const words = useWords();
  const [city, setCity] = useState<City | null>(null);
  const [view, setView] = useState<MapView | null>(null);
  const [denied, setDenied] = useState(false);
  const marks = useMarks();
  const onMoved = useReading();
  useEffect(() => {
    document.title = `${words.parts.product} · ${words.aed.title}`;
  }, [words]);
  useEffect(() => {
    loadCities().then(([first]) => setCity(first ?? null));
  }, []);
  const go = (position: Point, zoom = 16.2) => view?.goTo(position.coordinates, zoom);
  const look = (position: Point, own: boolean, label?: string) => {
    setDenied(false);
    void lookFrom({ position, own, label }).then(() => frame(view));
  };
  const locate = () => {
    navigator.geolocation?.getCurrentPosition(
      ({ coords }) => look({ type: "Point", coordinates: [coords.longitude, coords.latitude] }, true),
      () => setDenied(true),
      { enableHighAccuracy: true, timeout: 15_000 },
    );
  };
  const onPlace = ({ kind, position, text }: Place) => {
    if (kind !== "aed") return look(position, false, text);
    select(idOf(position));
    go(position);
  };
  return (
    <main class="aed-page">
      {city ? (
        <MapPanel
          label={words.aed.title}
          centre={city.centre}
          zoom={14.4}
          marks={marks}
          onView={setView}
          onMoved={onMoved}
          onClick={(position) => look(position, false)}
          onPick={(_kind, id) => select(id)}
        />
      ) : null}
      <a class="map-credit" href="https://www.openstreetmap.org/copyright" target="_blank" rel="noreferrer">
        {city?.attribution ?? "© OpenStreetMap contributors"}
      </a>
      <SearchBar onPlace={onPlace} />
      <MapButtons onLocate={locate} />
      <FindSheet denied={denied} onShow={go} />
    </main>
  );
}

const idOf = (position: Point): string | null =>
  Object.values(finder.get().aeds).find(
    (aed) => aed.position.coordinates.join() === position.coordinates.join(),
  )?.id ?? null;

/** Start and goal into view, clear of search bar and sheet. */
function frame(view: MapView | null): void {
  const { origin, selected, aeds } = finder.get();
  const goal = selected ? aeds[selected] : null;
  const wide = window.innerWidth >= 800;
  const padding = wide
    ? { top: 80, right: 80, bottom: 80, left: 480 }
    : { top: 166, right: 76, bottom: 56, left: 44 };
  view?.fit(
    [origin?.position, goal?.position].filter((at): at is Point => Boolean(at)),
    { padding, maxZoom: 17 },
  );
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
