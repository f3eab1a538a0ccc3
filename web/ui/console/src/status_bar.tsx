import { call } from "@shared/api.ts";
import { running, timeOfDay, useNow } from "@shared/clock.ts";
import { setLanguage, useLanguage, useWords } from "@shared/language.ts";
import { Badge } from "@shared/parts/badge.tsx";
import { Avatar, Button } from "@shared/parts/controls.tsx";
import { Icon, type IconName } from "@shared/parts/icon.tsx";
import { useStore } from "@shared/store.ts";
import { setTheme, type Theme, useTheme } from "@shared/theme.ts";
import { nameIn, orgName } from "./names.ts";
import { toggleRegistry, useWhere } from "./registry/where.ts";
import { setMuted, sound } from "./sound.ts";
import { live, session } from "./state.ts";
import { useAlarms } from "./ticking.ts";

/** Mark, society, alarm counts, connection, operator, sound, theme, language, clock. */
export function StatusBar() {
  const now = useNow();
  const words = useWords();
  const latin = useLanguage() === "en";
  const who = useStore(session);
  return (
    <header class="bar status-bar">
      <Mark />
      <span class="society ellipsis">{who ? orgName(who.org, latin) : words.parts.product}</span>
      <span class="level ellipsis">
        {words.console.centre}
        {who ? ` · ${words.domain.orgLevel[who.org.level] ?? ""}` : ""}
      </span>
      <RegistryButton />
      <span class="spring" />
      <Counts />
      <span class="rule" />
      <LinkState />
      <span class="rule" />
      {who ? (
        <span class="operator">
          <Avatar name={nameIn(who.person, latin)} />
          <b>{nameIn(who.person, latin)}</b>
          <button
            type="button"
            class="icon-button"
            title={words.console.menu.signOut}
            aria-label={words.console.menu.signOut}
            onClick={signOut}
          >
            <Icon name="exit" />
          </button>
        </span>
      ) : null}
      <span class="rule" />
      <Switches />
      <time class="wall-clock" title={new Date(now).toString()}>
        {timeOfDay(now)}
      </time>
    </header>
  );
}

function RegistryButton() {
  const words = useWords().registry;
  const isOpen = useWhere() !== null;
  return (
    <Button
      size="small"
      class="registry-button"
      icon={isOpen ? "screen" : "list"}
      keycap="R"
      onClick={toggleRegistry}
    >
      {isOpen ? words.board : words.open}
    </Button>
  );
}

function Mark() {
  return (
    <svg class="mark" width="22" height="22" viewBox="0 0 24 24" aria-hidden="true">
      <circle cx="12" cy="12" r="8" fill="none" stroke="currentColor" stroke-width="3.6" opacity="0.28" />
      <path d="M12 4a8 8 0 1 1-6.9 4" fill="none" stroke="currentColor" stroke-width="3.6" />
    </svg>
  );
}

function Counts() {
  const { all } = useAlarms();
  const words = useWords().domain;
  return (
    <span class="counts">
      {([1, 2, 3] as const).map((level) => {
        const count = all.filter((alarm) => alarm.level === level).length;
        return (
          <span key={level} class={count ? "" : "zero"} title={words.severity[level]}>
            <Badge severity={level} size={18} hollow={count === 0} label={words.severity[level]} />
            {count}
          </span>
        );
      })}
    </span>
  );
}

function LinkState() {
  useNow();
  const words = useWords().parts.live;
  const { phase, lostAt } = useStore(live.state);
  const since = lostAt === null ? 0 : (Date.now() - lostAt) / 1000;
  const texts = {
    live: words.live,
    connecting: words.connecting,
    reconnecting: words.lost(running(since)),
    sign_in: words.signIn,
    refused: words.refused,
  };
  return (
    <span class={`link-state ${phase === "live" ? "" : "off"}`} data-phase={phase}>
      <i aria-hidden="true" />
      {texts[phase]}
    </span>
  );
}

const NEXT_THEME: Record<Theme, Theme> = { light: "dark", dark: "contrast", contrast: "light" };
const THEME_ICON: Record<Theme, IconName> = { light: "moon", dark: "sun", contrast: "contrast" };

function Switches() {
  const words = useWords();
  const language = useLanguage();
  const other = language === "zh" ? "EN" : "中";
  const theme = useTheme();
  const { muted } = useStore(sound);
  const mute = muted ? words.console.menu.unmute : words.console.menu.mute;
  const themeName = `${words.parts.theme.label}: ${words.parts.theme[theme]}`;
  return (
    <span class="operator">
      <button
        type="button"
        class="icon-button"
        aria-pressed={muted}
        title={mute}
        aria-label={mute}
        onClick={() => setMuted(!muted)}
      >
        <Icon name={muted ? "muted" : "sound"} />
      </button>
      <button
        type="button"
        class="icon-button"
        title={themeName}
        aria-label={themeName}
        onClick={() => setTheme(NEXT_THEME[theme])}
      >
        <Icon name={THEME_ICON[theme]} />
      </button>
      <button
        type="button"
        class="icon-button"
        lang={language === "zh" ? "en" : "zh-CN"}
        aria-label={`${other} ${words.parts.language}`}
        onClick={() => setLanguage(language === "zh" ? "en" : "zh")}
      >
        {other}
      </button>
    </span>
  );
}

async function signOut(): Promise<void> {
  await call("DELETE", "/session").catch(() => null);
  location.assign("/sign-in");
}
