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

self.addEventListener("push", (event) => {
  event.waitUntil(receive(event.data));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(showApp());
});

/** What dispatch/channels/web_push.py writes: Declarative Web Push, and what we need besides. */
interface Pushed {
  purpose: "alert" | "stand_down" | "mission" | "probe";
  code: string;
  notification: { title: string; body: string; lang: string; tag: string; silent: boolean };
}

/** Show a message, once however often and by whatever way it comes, and say that it is here. */
async function receive(data: PushMessageData | null): Promise<void> {
  const said = data?.json() as Pushed | undefined;
  if (!said?.notification) return;
  const { title, body, lang, tag } = said.notification;
  const isAlert = said.purpose === "alert";
  const answer = said.code ? confirm(said.code) : Promise.resolve("live" as const);
  // A push may come long after its call is over; then it must not ring. Nobody waits long for that.
  const isOver = isAlert && (await Promise.race([answer, pause(ANSWER_WAIT_MS)])) === "over";
  const shown = await self.registration.getNotifications({ tag });
  // The page may have shown the same alert already: then it is replaced without another sound.
  const silent = said.notification.silent || isOver;
  const renotify = !silent && !(isAlert && shown.length > 0);
  const options = { body, lang, tag, silent, renotify, requireInteraction: isAlert && !isOver };
  await self.registration.showNotification(title, options);
  // A check asks nothing of its reader, and neither does what is over.
  if (said.purpose === "probe" || isOver) await dismiss(tag);
  await answer;
}

async function dismiss(tag: string): Promise<void> {
  for (const shown of await self.registration.getNotifications({ tag })) shown.close();
}

const ANSWER_WAIT_MS = 1500;
const CONFIRM_PAUSES_MS = [0, 1000, 4000];

/** Tell the server that the message arrived, whoever is signed in, and learn whether it is over. */
async function confirm(code: string): Promise<"live" | "over" | undefined> {
  for (const pauseMs of CONFIRM_PAUSES_MS) {
    await pause(pauseMs);
    const answer = await fetch("/api/v1/gateways/push/received", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code }),
    }).catch(() => null);
    if (answer?.status === 404) return "over";
    if (answer?.ok) return ((await answer.json()) as { is_over: boolean }).is_over ? "over" : "live";
  }
  return undefined;
}

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
