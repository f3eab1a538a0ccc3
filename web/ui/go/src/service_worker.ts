// Keeps the phone app on the phone. The build puts the version and the list of files in.
/// <reference lib="webworker" />
export {};

declare const self: ServiceWorkerGlobalScope;
declare const __VERSION__: string;
declare const __FILES__: string[];

const SHELL = `go-shell-${__VERSION__}`;
const TILES = "go-tiles";
/** About a city's worth of streets at the zooms a rescuer uses. */
const TILES_KEPT = 800;
const TILE_WAIT_MS = 3000;

self.addEventListener("install", (event) => {
  event.waitUntil(fillShell().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(dropOldShells().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (/^\/go\/?$/.test(url.pathname)) event.respondWith(fromShell("/go", request));
  } else if (url.pathname.startsWith("/tiles/")) {
    event.respondWith(tile(request));
  } else if (!url.pathname.startsWith("/api/")) {
    event.respondWith(fromShell(url.pathname, request));
  }
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(showApp());
});

/** Bring the open app to the front, or open it. */
async function showApp(): Promise<void> {
  const windows = await self.clients.matchAll({ type: "window" });
  const app = windows.find((client) => /^\/go\/?$/.test(new URL(client.url).pathname));
  if (app) await app.focus();
  else await self.clients.openWindow("/go");
}

async function fillShell(): Promise<void> {
  const cache = await caches.open(SHELL);
  // `reload` passes by the browser's own cache, which may still hold the page of an older version.
  await cache.addAll(__FILES__.map((file) => new Request(file, { cache: "reload" })));
}

async function dropOldShells(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("go-shell-") && name !== SHELL);
  await Promise.all(old.map((name) => caches.delete(name)));
}

async function fromShell(name: string, request: Request): Promise<Response> {
  const cache = await caches.open(SHELL);
  const kept = await cache.match(name);
  // A redirected answer may not be used for a page; the browser refuses it.
  return kept && !kept.redirected ? kept : fetch(request);
}

/** The newest tile, or within three seconds the one on the phone. */
async function tile(request: Request): Promise<Response> {
  const cache = await caches.open(TILES);
  const kept = cache.match(request);
  const fresh = fetch(request).then((response) => keep(cache, request, response));
  const late = pause(TILE_WAIT_MS).then(async () => (await kept) ?? fresh);
  return Promise.race([fresh, late]).catch(async () => (await kept) ?? Response.error());
}

async function keep(cache: Cache, request: Request, response: Response): Promise<Response> {
  if (response.status !== 200) return response;
  await cache.put(request, response.clone());
  stored += 1;
  // Listing the keys costs more than storing a tile.
  if (stored % 50 === 0) await trim(cache);
  return response;
}

let stored = 0;

async function trim(cache: Cache): Promise<void> {
  const keys = await cache.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - TILES_KEPT)).map((key) => cache.delete(key)));
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
