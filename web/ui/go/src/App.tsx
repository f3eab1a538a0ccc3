import { useNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Icon, type IconName } from "@shared/parts/icon.tsx";
import type { PersonAlert, StandDown } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useEffect, useState } from "preact/hooks";
import { AlertScreen } from "./alert.tsx";
import { type Deadline, deadlineOf, secondsLeft } from "./countdown.ts";
import { CprScreen } from "./cpr.tsx";
import { useDuties } from "./duties.ts";
import { ExerciseFrame, useTitle } from "./exercise.tsx";
import { HomePage } from "./home.tsx";
import { MissionScreen } from "./mission.tsx";
import { type Late, moves, readLate } from "./moves.ts";
import { MinePage, NearbyPage, RecordPage } from "./pages.tsx";
import { type Screen, screenOf } from "./person_state.ts";
import { answer, open, phoneState, readStandDown, showNotice, step, usePhone, type Verb } from "./phone.ts";
import { askPractice, PRACTICE_MS, practiceAlert } from "./practice.ts";
import { SignIn } from "./sign_in.tsx";
import { StandDownScreen } from "./stand_down.tsx";
import { Strips } from "./strips.tsx";
import { CoveredScreen, LateScreen } from "./thanks.tsx";

/** The one screen that matters now: stand-down, then mission, then alert, then home. */
export function App() {
  const session = usePhone((state) => state.session);
  const state = usePhone((all) => all);
  useNow();
  const screen = screenOf(state, performance.now());
  const [cpr, setCpr] = useState(false);
  const [practice, setPractice] = useState<{ alert: PersonAlert; deadline: Deadline } | null>(null);
  useTitle(useWords().go.title);
  useDuties(screen);
  useEffect(() => {
    if (screen === "alert" || screen === "stand_down") {
      setCpr(false);
      setPractice(null);
    }
  }, [screen]);
  const over = practice !== null && secondsLeft(practice.deadline, performance.now()) === 0;
  useEffect(() => {
    if (over) setPractice(null);
  }, [over]);
  if (cpr) {
    return (
      <ExerciseFrame>
        <CprScreen onClose={() => setCpr(false)} />
      </ExerciseFrame>
    );
  }
  if (session === "loading") return <main class="page" aria-busy="true" />;
  if (session === "out") return <SignIn onDone={() => void open()} />;
  if (practice) {
    const end = () => {
      setPractice(null);
      showNotice({ kind: "practiced" });
    };
    return (
      <AlertScreen
        {...practice}
        org={state.me?.org ?? null}
        answering={null}
        waiting={0}
        practice
        onAnswer={end}
      />
    );
  }
  const practise = async () => {
    if (await askPractice()) return;
    setPractice({
      alert: practiceAlert(),
      deadline: deadlineOf(PRACTICE_MS, PRACTICE_MS, performance.now()),
    });
  };
  return <Now screen={screen} onCpr={() => setCpr(true)} onPractise={() => void practise()} />;
}

function Now({ screen, onCpr, onPractise }: { screen: Screen; onCpr: () => void; onPractise: () => void }) {
  const { alert, deadline, mission, standDown, me, answering, waiting } = usePhone((state) => state);
  const { late } = useStore(moves);
  if (screen === "stand_down" && standDown) return <Ended standDown={standDown} late={late} />;
  if (screen === "mission" && mission) {
    return (
      <>
        <Strips />
        <MissionScreen
          mission={mission}
          waiting={waiting}
          onStep={(name) => step(mission, name)}
          onUnable={(reason) => step(mission, "unable", reason)}
          onCpr={onCpr}
        />
      </>
    );
  }
  if (screen === "alert" && alert && deadline) {
    const say = (verb: Verb) => answer(phoneState().alert ?? alert, verb);
    return (
      <AlertScreen
        key={alert.id}
        alert={alert}
        deadline={deadline}
        org={me?.org ?? null}
        answering={answering?.alert === alert.id ? answering.verb : null}
        waiting={waiting.length}
        onAnswer={say}
      />
    );
  }
  if (late) return <LateScreen late={late} onRead={() => thankedFor(late)} />;
  return <Tabs onCpr={onCpr} onPractise={onPractise} />;
}

/** Whoever was thanked for a late accept need not read the end of the same alert once more. */
function thankedFor(late: Late): void {
  readLate();
  if (late.why !== "timed_out") readStandDown(late.alert);
}

/** Told to stop, or, where nobody was on the way, that enough others are. */
function Ended({ standDown, late }: { standDown: StandDown; late: Late | null }) {
  const { carried, me } = usePhone((state) => state);
  const read = () => {
    if (late?.alert === standDown.alert) readLate();
    readStandDown(standDown.alert);
  };
  if (standDown.reason === "covered" && !carried)
    return <CoveredScreen standDown={standDown} onRead={read} />;
  return (
    <StandDownScreen standDown={standDown} carried={carried} phone={me?.org.phone ?? null} onRead={read} />
  );
}

type Tab = "home" | "aed" | "record" | "mine";
const TABS: [Tab, IconName][] = [
  ["home", "clock"],
  ["aed", "pin"],
  ["record", "list"],
  ["mine", "people"],
];

function Tabs({ onCpr, onPractise }: { onCpr: () => void; onPractise: () => void }) {
  const words = useWords().go.tabs;
  const [tab, setTab] = useState<Tab>("home");
  return (
    <div class="tabs">
      <Strips />
      <main class="tab-page">
        {tab === "home" ? <HomePage onCpr={onCpr} onPractise={onPractise} /> : null}
        {tab === "aed" ? <NearbyPage /> : null}
        {tab === "record" ? <RecordPage /> : null}
        {tab === "mine" ? <MinePage /> : null}
      </main>
      <nav class="tab-bar" aria-label={words.label}>
        {TABS.map(([name, icon]) => (
          <button
            key={name}
            type="button"
            aria-current={tab === name ? "page" : undefined}
            onClick={() => setTab(name)}
          >
            <Icon name={icon} size={24} />
            {words[name]}
          </button>
        ))}
      </nav>
    </div>
  );
}
