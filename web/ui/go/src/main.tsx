import "@shared/tokens.css";
import "@shared/parts/parts.css";
import "./go.css";
import "./alert.css";
import "./mission.css";
import "./cpr.css";
import { applyLanguage } from "@shared/language.ts";
import { startTheme } from "@shared/theme.ts";
import { render } from "preact";
import { App } from "./App.tsx";
import { prepareInstall } from "./install.ts";
import { open } from "./phone.ts";

startTheme();
applyLanguage();
prepareInstall();
const root = document.getElementById("app");
if (root) render(<App />, root);
void open();
