// A photo from the camera to the registry, by way of the phone's own shelf.

import { newKey, Problem, post } from "@shared/api.ts";
import type { PhotoKind } from "@shared/shapes.ts";
import { createStore } from "@shared/store.ts";
import type { Outcome } from "./outbox.ts";
import { showNotice } from "./phone.ts";
import { PhotoBox, photoShelf, type WaitingPhoto } from "./photo_box.ts";
import { shrink } from "./picture.ts";

const REQUEST_MS = 60_000;

/** How many wait, and how many have gone since the app was opened. */
export const photos = createStore({ waiting: 0, sent: 0 });
const box = new PhotoBox(photoShelf(), deliver, (waiting) => photos.set({ ...photos.get(), waiting }));

export const openPhotos = (): Promise<void> => box.open().catch(() => undefined);
export const flushPhotos = (hurry = false): Promise<void> =>
  box.flush(Date.now(), hurry).catch(() => undefined);

/** Keep a photo until it has gone. Throws BadPicture; where the browser keeps nothing it goes at once or fails. */
export async function addPhoto(aed: string, kind: PhotoKind, file: Blob): Promise<void> {
  const photo = { key: newKey(), aed, kind, picture: await shrink(file), takenAt: Date.now() };
  const isKept = await box.add(photo).then(
    () => true,
    () => false,
  );
  if (isKept) return void flushPhotos(true);
  if ((await deliver(photo)) === "later") throw new Error();
}

async function deliver({ key, aed, kind, picture }: WaitingPhoto): Promise<Outcome> {
  try {
    const signal = AbortSignal.timeout(REQUEST_MS);
    await post(`/aeds/${aed}/photos`, picture, { key, query: { kind }, retries: 0, signal });
    photos.set({ ...photos.get(), sent: photos.get().sent + 1 });
    return "sent";
  } catch (error) {
    const status = error instanceof Problem ? error.status : 0;
    if (status === 0 || status === 401 || status === 429 || status >= 500) return "later";
    showNotice({ kind: "refused", text: (error as Problem).message });
    return "refused";
  }
}
