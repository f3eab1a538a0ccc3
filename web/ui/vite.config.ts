import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { deviceTheme } from "./aed/build/device_theme.ts";
import { installable } from "./go/build/installable.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const backend = process.env.GOLDEN_BACKEND ?? "http://127.0.0.1:8000";

// Five pages from one build; the app serves dist/<page>/index.html at /<page> and dist/assets at /assets.
const pages = ["console", "go", "planner", "aed", "sign-in"];

/** The development server answers at /console as the app does, not only at /console/. */
const withoutSlash: Plugin = {
  name: "golden-without-slash",
  apply: "serve",
  configureServer(server) {
    server.middlewares.use((request, _response, next) => {
      const url = request.url ?? "";
      const page = pages.find((name) => url === `/${name}` || url.startsWith(`/${name}?`));
      if (page) request.url = url.replace(`/${page}`, `/${page}/`);
      next();
    });
  },
};

export default defineConfig({
  root: here("."),
  appType: "mpa",
  plugins: [withoutSlash, installable(), deviceTheme()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  resolve: { alias: { "@shared": here("./shared/src") } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    // The server writes the page of the public map and reads here what it needs.
    manifest: true,
    target: "es2022",
    // MapLibre alone is above the default limit and is loaded once.
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input: Object.fromEntries(pages.map((page) => [page, here(`./${page}/index.html`)])),
    },
  },
  server: {
    host: "127.0.0.1",
    proxy: {
      "/api": { target: backend, ws: true },
      "/tiles": backend,
      "/livez": backend,
    },
  },
});
