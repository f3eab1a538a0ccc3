import { get, post } from "@shared/api.ts";
import { serverNow } from "@shared/clock.ts";
import { useWords, words as wordsNow } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Incident } from "@shared/shapes.ts";
import { createStore, useSelect, useStore } from "@shared/store.ts";
import { useEffect } from "preact/hooks";
import { apartM, isStuck, mergeWay } from "./merging.ts";
import { boards, select, view } from "./state.ts";
import { complain, say } from "./toast.ts";

/** What may be the same emergency as the incident that is open. */
const suggested = createStore<{ incident: string; items: Incident[] } | null>(null);

/** Ask again whenever another incident opens or closes, or this one moves. */
function useSuggestions(incident: Incident): Incident[] {
  const known = useStore(suggested);
  const open = useSelect(boards.board, (board) => Object.keys(board?.incidents ?? {}).join());
  const place = incident.position.coordinates.join();
  const isClosed = incident.status === "closed";
  useEffect(() => {
    if (isClosed) return suggested.set(null);
    const stop = new AbortController();
    get<{ items: Incident[] }>(`/incidents/${incident.id}/duplicates`, {}, stop.signal)
      .then(({ items }) => suggested.set({ incident: incident.id, items }))
      .catch(() => null);
    return () => stop.abort();
  }, [incident.id, open, place, isClosed]);
  const items = known?.incident === incident.id ? known.items : [];
  return items.filter(({ id, exercise }) => exercise === incident.exercise && open.includes(id));
}

/** Merge with the nearest of those that may be the same; nothing is merged by itself. */
export function mergeFirst(incident: Incident): void {
  const known = suggested.get();
  const [other] = known?.incident === incident.id ? known.items : [];
  if (other) void merge(incident, boards.board.get()?.incidents[other.id] ?? other);
}

async function merge(one: Incident, other: Incident): Promise<void> {
  const words = wordsNow().incidentLife.duplicate;
  const way = mergeWay(one, other);
  const { gone, kept } = way;
  if (isStuck(way)) return complain(words.stillGoing);
  try {
    await post(`/incidents/${gone.id}/merge`, { into: kept.id });
    say(words.merged(gone.number, kept.number), () => takeApart(gone.id));
    // The board may have let go of the closed one already.
    const { selected } = view.get();
    if (selected === gone.id || selected === null) select(kept.id);
  } catch (error) {
    complain(error);
  }
}

/** Open a merged call again as an incident of its own. */
export async function takeApart(incident: string): Promise<void> {
  const again = await post<Incident>(`/incidents/${incident}/unmerge`);
  say(wordsNow().incidentLife.duplicate.unmerged(again.number));
}

/** Another call nearby: what it is, and one key that merges. */
export function DuplicateStrip({ incident }: { incident: Incident }) {
  const words = useWords();
  const own = words.incidentLife.duplicate;
  const [other, ...rest] = useSuggestions(incident);
  if (!other) return null;
  const { gone, kept } = mergeWay(incident, other);
  const ago = words.parts.ago((serverNow() - Date.parse(other.created_at)) / 1000);
  const facts = own.line(
    other.number,
    words.domain.kind[other.kind],
    words.parts.metres(apartM(incident, other)),
    ago,
  );
  return (
    <section class="notice" data-notice="duplicate" aria-label={own.title}>
      <Icon name="warn" size={16} />
      <span class="text">
        <b>{own.title}</b>
        <span title={facts}>
          {[facts, rest.length ? own.more(rest.length) : ""].filter(Boolean).join(" · ")}
        </span>
      </span>
      <Button
        size="small"
        keycap="J"
        title={gone.id === incident.id ? own.into(kept.number) : own.from(gone.number)}
        onClick={() => void merge(incident, other)}
      >
        {own.merge}
      </Button>
    </section>
  );
}
