import "@shared/tokens.css";
import "@shared/parts/parts.css";
import "./planner.css";
import { Problem } from "@shared/api.ts";
import { applyLanguage } from "@shared/language.ts";
import { startTheme } from "@shared/theme.ts";
import { render } from "preact";
import { App } from "./app.tsx";
import { plan, start } from "./plan_state.ts";

startTheme();
applyLanguage();
const root = document.getElementById("app");
if (root) render(<App />, root);
start().catch((problem: unknown) => {
  if (!(problem instanceof Problem)) throw problem;
  if (problem.status === 401) location.assign("/sign-in?next=/planner");
  else plan.update((state) => ({ ...state, problem, busy: false }));
});
