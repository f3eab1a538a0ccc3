import { get } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import type { Figures } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useEffect } from "preact/hooks";
import { Strips } from "./alarm_strip.tsx";
import { Announcer } from "./announcer.tsx";
import { IncidentCard } from "./card.tsx";
import { CommandBar } from "./command_bar.tsx";
import { onBoardEvent } from "./hear.ts";
import { IdlePanel } from "./idle.tsx";
import { listenForKeys } from "./key_table.ts";
import { CityMap } from "./map_panel.tsx";
import { NewIncidentForm } from "./new_incident.tsx";
import { home } from "./places_nearby.ts";
import { Queue } from "./queue.tsx";
import { listenForChanges } from "./registry/asking.ts";
import { RegistryList, RegistrySide } from "./registry/registry.tsx";
import { RegistryBar } from "./registry/registry_bar.tsx";
import { useWhere, where } from "./registry/where.ts";
import { ClosedReviews } from "./review_panel.tsx";
import { Sheets } from "./sheets.tsx";
import { unlockSound } from "./sound.ts";
import { boards, figures, live, select, view } from "./state.ts";
import { StatusBar } from "./status_bar.tsx";
import { useAlarms } from "./ticking.ts";
import { TroubleBanner } from "./trouble_banner.tsx";

const FIGURES_EVERY_MS = 60_000;

export function App() {
  const words = useWords();
  const start = useStore(home);
  const registry = useWhere();
  useEffect(listenForKeys, []);
  // The sums of a disaster move with every one of its incidents.
  useEffect(() => listenForChanges(() => where.get()?.page === "disasters"), []);
  useFigures();
  useSession();
  useTitle();
  return (
    <div
      class={`console ${registry ? `with-registry page-${registry.page}${registry.item ? " has-item" : ""}` : ""}`}
      // Not at the press: the strip that goes with it would move what is being pressed.
      onPointerUp={() => void unlockSound()}
    >
      <TroubleBanner />
      <StatusBar />
      <Strips />
      <div class="columns">
        {registry ? <RegistryList /> : <Queue />}
        {start ? <CityMap home={start} /> : <main class="map-panel" aria-label={words.parts.map.label} />}
        {registry ? <RegistrySide /> : <RightColumn />}
      </div>
      {registry ? <RegistryBar /> : <CommandBar />}
      <Sheets />
      <Announcer />
    </div>
  );
}

function RightColumn() {
  const { selected, panel, draft } = useStore(view);
  const board = useStore(boards.board);
  const snapshot = useStore(boards.incident);
  const gone =
    board !== null &&
    selected !== null &&
    !board.incidents[selected] &&
    snapshot?.incident.status === "closed";
  useEffect(() => {
    // Effects come late: another one may be open by now, as after a merge.
    if (gone && view.get().selected === selected) select(null);
  }, [gone, selected]);
  if (panel === "new") return <NewIncidentForm key={`${draft.kind} ${draft.where}`} />;
  if (selected) return <IncidentCard key={selected} />;
  return panel === "review" ? <ClosedReviews /> : <IdlePanel />;
}

/** The number of alarms stands before the title, where it shows on a tab that nobody looks at. */
function useTitle(): void {
  const words = useWords();
  const { all } = useAlarms();
  const count = all.length;
  useEffect(() => {
    document.title = `${count ? `(${count}) ` : ""}${words.parts.product} · ${words.console.title}`;
  }, [words, count]);
}

/** The figures of the shift: each minute, and soon after something opened or closed. */
function useFigures(): void {
  useEffect(() => {
    const ask = () =>
      get<Figures>("/board/figures")
        .then(figures.set)
        .catch(() => null);
    void ask();
    const timer = window.setInterval(ask, FIGURES_EVERY_MS);
    const stop = onBoardEvent((kind) => /opened|closed|reopened/.test(kind) && void ask());
    return () => {
      window.clearInterval(timer);
      stop();
    };
  }, []);
}

/** A session that has ended leads back to the sign-in page. */
function useSession(): void {
  const { phase } = useStore(live.state);
  useEffect(() => {
    if (phase === "sign_in") location.assign("/sign-in?next=/console");
  }, [phase]);
}
