import type { Plugin } from "vite";

const DARK = /:root\[data-theme="dark"\] \{([^}]*)\}/;

/** The dark tokens once more for pages without scripts, where nothing names a theme but the device. */
export const deviceTheme = (): Plugin => ({
  name: "golden-device-theme",
  enforce: "pre",
  transform(code, id) {
    if (!id.endsWith("/shared/src/tokens.css")) return null;
    const dark = DARK.exec(code)?.[1];
    if (!dark) throw new Error("tokens.css has no dark theme any more");
    return `${code}\n@media (prefers-color-scheme: dark) {\n:root:not([data-theme]) {${dark}}\n}\n`;
  },
});
