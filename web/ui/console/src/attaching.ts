import { newKey, post } from "@shared/api.ts";
import { words } from "@shared/language.ts";
import { createStore } from "@shared/store.ts";
import { complain, say } from "./toast.ts";

export const ACCEPT = "image/jpeg,image/png,image/webp,application/pdf";
const TYPES = new Set(ACCEPT.split(","));
const MOST_BYTES = 8 * 1024 * 1024;

/** How many files are on their way. */
export const sending = createStore(0);
/** Counts what was added here, so that lists look again. */
export const attached = createStore(0);

/** Why a file cannot be attached, or null. */
export function refusal(file: Pick<File, "name" | "type" | "size">): string | null {
  const own = words().incidentLife.files;
  if (!TYPES.has(file.type)) return own.wrongKind(file.name);
  return file.size > MOST_BYTES ? own.tooBig(file.name) : null;
}

/** Attach some files to an incident, one after the other; the first refusal ends it and is told. */
export async function attach(incident: string, files: readonly File[]): Promise<void> {
  let done = 0;
  for (const file of files) {
    const why = refusal(file);
    if (why !== null) {
      complain(why);
      break;
    }
    sending.update((n) => n + 1);
    try {
      const query = { name: file.name.slice(0, 200) };
      await post(`/incidents/${incident}/attachments`, file, { key: newKey(), query });
      done += 1;
    } catch (error) {
      complain(error);
      break;
    } finally {
      sending.update((n) => n - 1);
    }
  }
  if (done === 0) return;
  attached.update((n) => n + 1);
  if (done === files.length) say(words().incidentLife.files.added(done));
}
