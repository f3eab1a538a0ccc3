// Makes the phone app installable: writes its icons, its manifest and its service worker with the list of
// files that must be on the phone before the network goes.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Plugin, transformWithOxc } from "vite";
import { markPng } from "./icons.ts";

type Bundle = Parameters<Extract<Plugin["generateBundle"], (...args: never[]) => unknown>>[1];

const ICONS = [
  { file: "go-icon-192.png", size: 192, rounded: true, purpose: "any" },
  { file: "go-icon-512.png", size: 512, rounded: true, purpose: "any" },
  { file: "go-icon-maskable-512.png", size: 512, rounded: false, purpose: "maskable" },
  { file: "go-icon-180.png", size: 180, rounded: false, purpose: "any" },
];

const manifest = () => ({
  id: "/go",
  name: "黄金分钟 Golden Minutes",
  short_name: "黄金分钟",
  description: "附近有人需要急救时通知您。Tells you when someone nearby needs first aid.",
  lang: "zh-CN",
  start_url: "/go",
  scope: "/go",
  display: "standalone",
  orientation: "portrait",
  background_color: "#e6e8eb",
  theme_color: "#e6e8eb",
  icons: ICONS.map(({ file, size, purpose }) => ({
    src: `/${file}`,
    sizes: `${size}x${size}`,
    type: "image/png",
    purpose,
  })),
});

/** Every file the page needs, found by walking from its entry chunk through imports, styles and fonts. */
function filesOf(bundle: Bundle, page: string): string[] {
  const entry = Object.values(bundle).find(
    (file) => file.type === "chunk" && file.isEntry && file.facadeModuleId?.endsWith(`/${page}/index.html`),
  );
  const found = new Set<string>();
  const visit = (name: string) => {
    if (found.has(name)) return;
    const file = bundle[name];
    if (!file) return;
    found.add(name);
    if (file.type === "asset") {
      if (name.endsWith(".css")) urlsIn(String(file.source)).forEach(visit);
      return;
    }
    [...file.imports, ...file.dynamicImports].forEach(visit);
    file.viteMetadata?.importedCss.forEach(visit);
    file.viteMetadata?.importedAssets.forEach(visit);
  };
  if (entry) visit(entry.fileName);
  return [...found].sort();
}

/** Names, below the site's root, of what a style sheet asks for; fonts of scripts we do not write are left. */
function urlsIn(css: string): string[] {
  return [...css.matchAll(/url\(["']?\/(assets\/[^"')]+)/g)]
    .map((match) => match[1] ?? "")
    .filter((name) => !/cyrillic|greek|vietnamese/.test(name));
}

async function workerCode(files: string[], version: string): Promise<string> {
  const path = fileURLToPath(new URL("../src/service_worker.ts", import.meta.url));
  const { code } = await transformWithOxc(await readFile(path, "utf8"), path);
  const known = `const __VERSION__ = ${JSON.stringify(version)};\nconst __FILES__ = ${JSON.stringify(files)};\n`;
  // `export {}` makes the source a module for the compiler; a classic worker may not have it.
  return known + code.replace(/^export\s*\{\s*\};?\s*$/m, "");
}

export function installable(): Plugin {
  return {
    name: "golden-installable",
    apply: "build",
    enforce: "post",
    async generateBundle(_options, bundle) {
      const emit = (fileName: string, source: string | Uint8Array) =>
        this.emitFile({ type: "asset", fileName, source });
      for (const { file, size, rounded } of ICONS) emit(file, markPng(size, rounded));
      emit("go.webmanifest", JSON.stringify(manifest()));
      const files = filesOf(bundle, "go");
      const fixed = ["go", "go.webmanifest", "mark.svg", ...ICONS.map((icon) => icon.file)];
      const page = await readFile(fileURLToPath(new URL("../index.html", import.meta.url)));
      const version = createHash("sha256").update(files.join("\n")).update(page).digest("hex").slice(0, 12);
      emit(
        "go-worker.js",
        await workerCode(
          [...fixed, ...files].map((name) => `/${name}`),
          version,
        ),
      );
    },
  };
}
