// Photos that must reach the server even if the phone is offline or is closed the next second.
// Each carries an idempotency key, so sending twice adds one photo.

import type { PhotoKind } from "@shared/shapes.ts";
import type { Outcome } from "./outbox.ts";

export interface WaitingPhoto {
  key: string;
  aed: string;
  kind: PhotoKind;
  picture: Blob;
  /** When it was taken, in epoch milliseconds. */
  takenAt: number;
}

export interface PhotoShelf {
  all(): Promise<WaitingPhoto[]>;
  put(photo: WaitingPhoto): Promise<void>;
  remove(key: string): Promise<void>;
}

/** Pause after a failed attempt; a photo is large and in no hurry. */
const REST_MS = 15_000;

export class PhotoBox {
  private busy = false;
  private restUntil = 0;
  private count = 0;

  constructor(
    private readonly shelf: PhotoShelf,
    private readonly send: (photo: WaitingPhoto) => Promise<Outcome>,
    private readonly changed: (waiting: number) => void = () => undefined,
  ) {}

  /** Learn what an earlier run of the app has left. */
  async open(): Promise<void> {
    this.tell((await this.shelf.all()).length);
  }

  async add(photo: WaitingPhoto): Promise<void> {
    await this.shelf.put(photo);
    this.tell(this.count + 1);
  }

  /** Send what waits, oldest first; stops at the first that must wait, and then rests unless told to `hurry`. */
  async flush(now: number, hurry = false): Promise<void> {
    if (this.busy || this.count === 0 || (now < this.restUntil && !hurry)) return;
    this.busy = true;
    try {
      for (const photo of await this.shelf.all()) {
        if ((await this.send(photo)) === "later") {
          this.restUntil = now + REST_MS;
          return;
        }
        await this.shelf.remove(photo.key);
        this.tell(this.count - 1);
      }
      // One may have come in while the others went.
      this.tell((await this.shelf.all()).length);
    } finally {
      this.busy = false;
    }
  }

  private tell(count: number): void {
    this.count = Math.max(0, count);
    this.changed(this.count);
  }
}

const STORE = "photos";

/** A shelf in the phone's own database; pictures are too large for its small storage. */
export const photoShelf = (): PhotoShelf => ({
  all: async () => {
    const photos: WaitingPhoto[] = await ask("readonly", (store) => store.getAll());
    return photos.sort((a, b) => a.takenAt - b.takenAt);
  },
  put: async (photo) => void (await ask("readwrite", (store) => store.put(photo))),
  remove: (key) => ask("readwrite", (store) => store.delete(key)),
});

async function ask<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await openDatabase();
  try {
    return await answerOf(work(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open("golden.go", 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
  return answerOf(request);
}

const answerOf = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
