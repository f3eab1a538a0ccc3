// Taps that must reach the server even if the phone is offline or is closed the next second.
// Each carries the time of the tap and an idempotency key, so sending twice changes nothing.

export interface Entry {
  key: string;
  path: string;
  body: Record<string, unknown>;
  /** Epoch milliseconds before which the tap can still be taken back. */
  heldUntil: number;
}

export type Outcome = "sent" | "later" | "refused";
export type Shelf = Pick<Storage, "getItem" | "setItem">;

const NAME = "golden.go.outbox";
/** How long a step can be taken back before it is sent. */
export const stepHold = 5000;
/** Pause after a failed attempt. */
const REST_MS = 3000;

const isEntry = (value: unknown): value is Entry => {
  const entry = value as Partial<Entry> | null;
  return typeof entry?.key === "string" && typeof entry.path === "string" && typeof entry.body === "object";
};

/** Read what is stored; anything unreadable counts as nothing. */
const read = (shelf: Shelf): Entry[] => {
  try {
    const found: unknown = JSON.parse(shelf.getItem(NAME) ?? "[]");
    return Array.isArray(found) ? found.filter(isEntry) : [];
  } catch {
    return [];
  }
};

export class Outbox {
  private busy = false;
  private restUntil = 0;

  constructor(
    private readonly shelf: Shelf,
    private readonly send: (entry: Entry) => Promise<Outcome>,
    private readonly changed: () => void = () => undefined,
  ) {}

  entries(): Entry[] {
    return read(this.shelf);
  }

  /** Entries that could go now, in the order of the taps: nothing overtakes one that is still held. */
  due(now: number): Entry[] {
    const all = this.entries();
    const held = all.findIndex((entry) => entry.heldUntil > now);
    return held < 0 ? all : all.slice(0, held);
  }

  add(entry: Entry): void {
    // A later tap means the earlier one was meant: it is no longer held.
    this.write([...this.entries().map((earlier) => ({ ...earlier, heldUntil: 0 })), entry]);
  }

  /** Take a tap back while it is held; false when it has gone already. */
  withdraw(key: string): boolean {
    const all = this.entries();
    const rest = all.filter((entry) => entry.key !== key);
    if (rest.length < all.length) this.write(rest);
    return rest.length < all.length;
  }

  /** Let everything go at once, as when the page is about to be hidden. */
  release(): void {
    const all = this.entries();
    if (all.some((entry) => entry.heldUntil > 0))
      this.write(all.map((entry) => ({ ...entry, heldUntil: 0 })));
  }

  /** Send what is due, oldest first; stops at the first that must wait, and then rests unless told to `hurry`. */
  async flush(now: number, hurry = false): Promise<void> {
    if (this.busy || (now < this.restUntil && !hurry)) return;
    this.busy = true;
    try {
      for (let next = this.due(now)[0]; next; next = this.due(now)[0]) {
        const outcome = await this.send(next);
        if (outcome === "later") {
          this.restUntil = now + REST_MS;
          return;
        }
        this.withdraw(next.key);
      }
    } finally {
      this.busy = false;
    }
  }

  private write(entries: Entry[]): void {
    this.shelf.setItem(NAME, JSON.stringify(entries));
    this.changed();
  }
}
