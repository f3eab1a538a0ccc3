// What goes on beside the screens: acks, positions, the outbox, the system's own notification.

import { serverNow } from "@shared/clock.ts";
import { words } from "@shared/language.ts";
import type { PersonAlert } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useEffect, useState } from "preact/hooks";
import { flushPhotos, openPhotos } from "./aed_photos.ts";
import { unlockOnFirstTap } from "./alarm.ts";
import type { Screen } from "./person_state.ts";
import { flush, journal, live, refresh, releaseTaps, seen, signedOut, usePhone } from "./phone.ts";
import { learnPermission, needPosition } from "./position.ts";

const LOOK_MS = 1000;

export function useDuties(screen: Screen): void {
  useOutbox();
  useWhere(screen);
  useArrival();
  useSignedOut();
}

/** The server has ended the session. */
function useSignedOut(): void {
  const { phase } = useStore(live.state);
  useEffect(() => {
    if (phase === "sign_in") signedOut();
  }, [phase]);
}

/** Send what waits, whenever it may have become possible. */
function useOutbox(): void {
  useEffect(() => {
    const look = () => {
      void flush();
      void flushPhotos();
    };
    void openPhotos();
    const hurry = () => {
      void flushPhotos(true);
      void refresh();
      void flush(true);
    };
    const timer = window.setInterval(look, LOOK_MS);
    const onHide = () => {
      if (document.visibilityState !== "visible") releaseTaps();
      hurry();
    };
    window.addEventListener("online", hurry);
    document.addEventListener("visibilitychange", onHide);
    return () => {
      window.clearInterval(timer);
      window.removeEventListener("online", hurry);
      document.removeEventListener("visibilitychange", onHide);
    };
  }, []);
}

/** Watch the position as closely as the moment needs, and never off duty. */
function useWhere(screen: Screen): void {
  const duty = usePhone((state) => state.duty);
  useEffect(() => {
    unlockOnFirstTap();
    void learnPermission((message) => live.send(message));
  }, []);
  useEffect(() => {
    if (screen === "mission" || screen === "alert") needPosition("mission");
    else needPosition(duty === "available" || duty === "busy" ? "duty" : "none");
  }, [screen, duty]);
}

/** Say that the alert has arrived, and that it is on the screen once a person can see it. */
function useArrival(): void {
  const alert = usePhone((state) => state.alert);
  const { phase } = useStore(live.state);
  const visible = useVisible();
  const key = alert ? `${alert.id} ${alert.revision}` : "";
  useEffect(() => {
    if (alert && note(alert) && !visible) void notify(alert);
  }, [key]);
  useEffect(() => {
    if (alert && visible) seen(alert);
  }, [key, visible]);
  // After a reload the alert may be here before the socket is: the acks follow it.
  useEffect(() => {
    if (alert && phase === "live") live.ack(alert.id, visible ? "shown" : "received");
  }, [key, visible, phase]);
}

/** Write the alert into the journal; true the first time. */
const note = (alert: PersonAlert): boolean =>
  journal.show({
    alert: alert.id,
    revision: alert.revision,
    kind: alert.incident.kind,
    exercise: alert.incident.exercise,
    shownAt: new Date(serverNow()).toISOString(),
  });

function useVisible(): boolean {
  const [visible, setVisible] = useState(document.visibilityState === "visible");
  useEffect(() => {
    const learn = () => setVisible(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", learn);
    return () => document.removeEventListener("visibilitychange", learn);
  }, []);
  return visible;
}

/** The phone's own notification while the app is not in front; it says nothing about place or person. */
async function notify(alert: PersonAlert): Promise<void> {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  const worker = await navigator.serviceWorker?.getRegistration("/");
  const { notifyTitle, notifyBody } = words().go.alert;
  const title = alert.incident.exercise ? `${words().parts.exercise} · ${notifyTitle}` : notifyTitle;
  await worker?.showNotification(title, { body: notifyBody, tag: alert.id, requireInteraction: true });
}
