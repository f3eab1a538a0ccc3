import "@shared/tokens.css";
import "@shared/parts/parts.css";
import "./aed.css";
import { applyLanguage } from "@shared/language.ts";
import { startTheme } from "@shared/theme.ts";
import { render } from "preact";
import { App } from "./app.tsx";

startTheme();
applyLanguage();
const root = document.getElementById("app");
if (root) render(<App />, root);
