import "@shared/tokens.css";
import "@shared/parts/parts.css";
import "./sign_in.css";
import { applyLanguage } from "@shared/language.ts";
import { startTheme } from "@shared/theme.ts";
import { render } from "preact";
import { SignInPage } from "./sign_in.tsx";

// The one-time token stands in the fragment, which no server log sees; it leaves the address at once.
const link = location.hash.slice(1);
if (link) history.replaceState(null, "", location.pathname + location.search);

startTheme();
applyLanguage();
const root = document.getElementById("app");
if (root) render(<SignInPage link={link} />, root);
