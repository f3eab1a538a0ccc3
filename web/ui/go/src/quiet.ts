// Quiet hours: when this person is not alerted, and for what all the same.

import { put } from "@shared/api.ts";
import type { Quiet } from "@shared/shapes.ts";

export const USUAL: Quiet = { from: "22:00", until: "07:00", except: ["cardiac_arrest"] };

/** PURE. A time as the server writes it, in hours and minutes. */
const short = (time: string): string => time.slice(0, 5);

/** PURE. Quiet hours as this phone edits them; null when there are none. */
export function quietOf(said: Quiet | null | undefined): Quiet | null {
  if (!said?.from || !said.until) return null;
  return { from: short(said.from), until: short(said.until), except: said.except ?? [] };
}

/** PURE. Why these hours cannot be saved; null when they can. */
export const wrongWith = ({ from, until }: Quiet): "same" | null =>
  !from || !until || from === until ? "same" : null;

/** Set them, or with null have none. */
export const saveQuiet = (quiet: Quiet | null): Promise<unknown> =>
  put("/me/quiet", quiet ?? { from: null, until: null, except: [] });
