import "@shared/tokens.css";
import "@shared/parts/parts.css";
import "./console.css";
import "./card.css";
import "./registry/registry.css";
import { get, Problem } from "@shared/api.ts";
import { learnServerTime } from "@shared/clock.ts";
import { applyLanguage } from "@shared/language.ts";
import type { Session } from "@shared/shapes.ts";
import { startTheme } from "@shared/theme.ts";
import { render } from "preact";
import { App } from "./app.tsx";
import { loadHome } from "./places_nearby.ts";
import { go } from "./registry/where.ts";
import { live, select, session } from "./state.ts";

const AGAIN_MS = 2000;

/** Learn who is signed in; a server that is away is asked again until it is back. */
async function whoAmI(): Promise<Session | null> {
  for (;;) {
    try {
      return await get<Session>("/session");
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return null;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

async function connect(): Promise<void> {
  const who = await whoAmI();
  if (!who) {
    location.assign("/sign-in?next=/console");
    return;
  }
  session.set(who);
  learnServerTime(who.server_time);
  // Whoever only cares for volunteers has no board: the tasks are the whole console.
  if (who.roles.every((role) => role === "carer" || role === "responder")) {
    go({ page: "tasks", part: null, item: null });
    return;
  }
  live.start([`org:${who.org.code}`]);
  const wanted = new URLSearchParams(location.search).get("incident");
  if (wanted) select(wanted);
}

function start(): void {
  startTheme();
  applyLanguage();
  void loadHome();
  void connect();
  const root = document.getElementById("app");
  if (root) render(<App />, root);
}

start();
