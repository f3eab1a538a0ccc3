import "@shared/tokens.css";
import "@shared/parts/parts.css";
import "./aed.css";
import "./details.css";
import "./served.css";
import { applyLanguage } from "@shared/language.ts";
import { startTheme } from "@shared/theme.ts";
import { render } from "preact";
import { App } from "./app.tsx";

startTheme();
applyLanguage();
const root = document.getElementById("app");
if (root) {
  // The server's list stands here for those without scripts; both at once would be one too many.
  root.replaceChildren();
  root.removeAttribute("class");
  render(<App />, root);
}
