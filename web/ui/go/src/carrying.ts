// What this person has to bring back, kept on the phone and corrected by the server.

import { get, post } from "@shared/api.ts";
import type { Mission } from "@shared/shapes.ts";
import { createStore } from "@shared/store.ts";
import { type Carried, fromServer, type OwnUses, useOf, withMission } from "./carried.ts";
import type { Entry } from "./outbox.ts";

const KEPT = "golden.go.carried";
const OWN_USES = "/me/aed-uses";

export const carrying = createStore<Carried[]>(kept());

function kept(): Carried[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(found) ? (found as Carried[]) : [];
  } catch {
    return [];
  }
}

function keep(carried: Carried[]): void {
  carrying.set(carried);
  localStorage.setItem(KEPT, JSON.stringify(carried));
}

export const carryFrom = (mission: Mission): void => keep(withMission(carrying.get(), mission));

export function carryNothing(): void {
  carrying.set([]);
  localStorage.removeItem(KEPT);
}

/** Ask the server, once nothing waits that it does not know of. */
export async function learnCarried(): Promise<void> {
  const uses = await get<OwnUses>(OWN_USES).catch(() => null);
  if (uses) keep(fromServer(uses));
}

/** Tell the server that an AED is back; it may know already, and then there is nothing to tell. */
export async function sendReturn(aed: string, entry: Entry, signal: AbortSignal): Promise<void> {
  const use = useOf(await get<OwnUses>(OWN_USES, {}, signal), aed);
  if (!use) return;
  const body = { pads_used: entry.body.pads_used === true };
  await post(`/aeds/${aed}/uses/${use}/return`, body, { key: entry.key, retries: 0, signal });
}
