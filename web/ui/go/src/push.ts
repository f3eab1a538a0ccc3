// Web push: this browser's subscription, renewed at every start, since browsers drop them in silence.

import { call, get } from "@shared/api.ts";
import { learnReach } from "./reach.ts";

interface Offer {
  public_key: string | null;
  state: "none" | "ok" | "dead";
}

export type Notify = NotificationPermission | "missing";

/** What this browser says of notifications, without asking. */
export const notifyState = (): Notify => ("Notification" in window ? Notification.permission : "missing");

const canPush = (): boolean =>
  "serviceWorker" in navigator && "PushManager" in window && Notification.permission === "granted";

/** Subscribe this browser where it may, and learn how the devices stand; never in anybody's way. */
export async function renewPush(): Promise<void> {
  // Beside it: a browser may take its time to subscribe, or never answer.
  void learnReach();
  try {
    const offer = await get<Offer>("/me/push");
    if (offer.public_key && canPush()) {
      await subscribe(offer.public_key, offer.state === "dead");
      void learnReach();
    }
  } catch {
    // Without a push service or without network the other channels remain.
  }
}

async function subscribe(key: string, isDead: boolean): Promise<void> {
  const worker = await navigator.serviceWorker.ready;
  let held = await worker.pushManager.getSubscription();
  if (held && (isDead || !isFor(held, key))) {
    await held.unsubscribe();
    held = null;
  }
  held ??= await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  await call("POST", "/me/push", held.toJSON());
}

/** Whether a subscription was made for this key; an installation that was moved has another. */
function isFor(held: PushSubscription, key: string): boolean {
  const bytes = held.options.applicationServerKey;
  if (!bytes) return true;
  const letters = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return letters.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "") === key;
}

/** Forget this browser before its owner signs out. */
export async function endPush(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const worker = await navigator.serviceWorker.getRegistration();
  const held = await worker?.pushManager?.getSubscription();
  if (!held) return;
  await call("DELETE", "/me/push", { endpoint: held.endpoint }).catch(() => undefined);
  await held.unsubscribe();
}
