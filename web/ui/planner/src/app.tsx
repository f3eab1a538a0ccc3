import { call } from "@shared/api.ts";
import { timeOfDay } from "@shared/clock.ts";
import { setLanguage, useLanguage, useWords } from "@shared/language.ts";
import { Avatar } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import { useStore } from "@shared/store.ts";
import { setTheme, useTheme } from "@shared/theme.ts";
import { useEffect } from "preact/hooks";
import { CoverageMap } from "./coverage_map.tsx";
import { KeyFigures } from "./key_figures.tsx";
import { Parameters } from "./parameters.tsx";
import { plan } from "./plan_state.ts";
import { ClosedTable, GapTable } from "./tables.tsx";

/** Parameters, map, key figures, and below them what to do something about. */
export function App() {
  const { parts, planner } = useWords();
  useEffect(() => {
    document.title = `${parts.product} · ${planner.title}`;
  }, [parts, planner]);
  return (
    <div class="planner">
      <TopBar />
      <Parameters />
      <CoverageMap />
      <KeyFigures />
      <div class="bottom">
        <ClosedTable />
        <GapTable />
      </div>
    </div>
  );
}

function TopBar() {
  const all = useWords();
  const { session, coverage, busy } = useStore(plan);
  const english = useLanguage() === "en";
  const name = session && ((english && session.person.name_en) || session.person.name);
  return (
    <header class="top-bar">
      <img src="/mark.svg" alt="" width="20" height="20" />
      <b>{session ? (english ? session.org.name_en : session.org.name_zh) : all.parts.product}</b>
      <h1>{all.planner.title}</h1>
      <span class="spring" />
      <span role="status" class="updated">
        {busy ? all.planner.checking : coverage ? all.planner.updated(timeOfDay(coverage.generated_at)) : ""}
      </span>
      <Switches />
      {name ? (
        <span class="who">
          <Avatar name={name} />
          <b>{name}</b>
          <button
            type="button"
            class="icon-button"
            title={all.planner.signOut}
            aria-label={all.planner.signOut}
            onClick={signOut}
          >
            <Icon name="exit" />
          </button>
        </span>
      ) : null}
    </header>
  );
}

async function signOut(): Promise<void> {
  await call("DELETE", "/session").catch(() => undefined);
  location.assign("/sign-in");
}

function Switches() {
  const words = useWords().parts;
  const english = useLanguage() === "en";
  const theme = useTheme();
  const next = theme === "light" ? "dark" : theme === "dark" ? "contrast" : "light";
  const icon = { light: "sun", dark: "moon", contrast: "contrast" } as const;
  return (
    <>
      <button
        type="button"
        class="text-button"
        title={words.languageLabel}
        lang={english ? "zh-CN" : "en"}
        onClick={() => setLanguage(english ? "zh" : "en")}
      >
        {words.language}
      </button>
      <button
        type="button"
        class="icon-button"
        title={`${words.theme.label} · ${words.theme[theme]}`}
        aria-label={`${words.theme.label} · ${words.theme[theme]}`}
        onClick={() => setTheme(next)}
      >
        <Icon name={icon[theme]} />
      </button>
    </>
  );
}
