import { call, get, newKey, post } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import { Button, Chip } from "@shared/parts/controls.tsx";
import type { Disaster, Incident, Page } from "@shared/shapes.ts";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useAsked } from "./registry/asking.ts";
import { go } from "./registry/where.ts";
import { showPanel } from "./state.ts";
import { problemText, say } from "./toast.ts";

/** The disaster that an incident belongs to, on its card; opens the disaster's page. */
export function DisasterChip({ incident }: { incident: Incident }) {
  const words = useWords().incidentLife.disaster;
  const id = incident.disaster ?? null;
  const { value } = useAsked<Disaster>(id ? `/disasters/${id}` : null);
  if (!id) return null;
  return (
    <button
      type="button"
      class="chip-button"
      data-disaster={id}
      title={words.open}
      onClick={() => go({ page: "disasters", part: null, item: id })}
    >
      <Chip icon="list">{value?.name ?? words.title}</Chip>
    </button>
  );
}

/** Put the incident under a disaster, under a new one, or take it out. */
export function DisasterDrawer({ incident }: { incident: Incident }) {
  const words = useWords();
  const own = words.incidentLife.disaster;
  const box = useRef<HTMLElement>(null);
  const open = useOpen(incident);
  const { place, add, failed } = usePlacing(incident);
  const [name, setName] = useState("");
  const ready = open !== null;
  useLayoutEffect(() => box.current?.querySelector<HTMLElement>("button, input")?.focus(), [ready]);
  return (
    <section class="drawer tall" ref={box} aria-label={own.put}>
      <h2>
        {own.put}
        <span>{incident.disaster ? "" : own.none}</span>
      </h2>
      {(open ?? []).map((disaster) => (
        <div class="row line" key={disaster.id}>
          <span class="grow ellipsis">
            {disaster.name} · {words.domain.kind[disaster.kind]}
          </span>
          {disaster.id === incident.disaster ? (
            <Button size="small" onClick={() => void place(null)}>
              {own.takeOut}
            </Button>
          ) : (
            <Button size="small" onClick={() => void place(disaster)}>
              {own.choose}
            </Button>
          )}
        </div>
      ))}
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim()) void add(name.trim());
        }}
      >
        <label class="gm-field">
          <span class="sr-only">{own.new}</span>
          <input
            name="disaster"
            value={name}
            maxLength={200}
            autoComplete="off"
            placeholder={own.new}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <Button type="submit" disabled={name.trim() === ""}>
          {own.choose}
        </Button>
        <Button keycap="Esc" onClick={() => showPanel("none")}>
          {words.parts.close}
        </Button>
      </form>
      {failed ? (
        <p class="gm-error" role="alert">
          {failed}
        </p>
      ) : null}
    </section>
  );
}

/** Open disasters of the same sort: an exercise never joins a real one. */
function useOpen(incident: Incident): Disaster[] | null {
  const [open, setOpen] = useState<Disaster[] | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    get<Page<Disaster>>("/disasters", { open: true }, stop.signal)
      .then(({ items }) => setOpen(items.filter(({ exercise }) => exercise === incident.exercise)))
      .catch(() => setOpen([]));
    return () => stop.abort();
  }, [incident.id, incident.exercise, incident.disaster]);
  return open;
}

function usePlacing(incident: Incident) {
  const words = useWords().incidentLife.disaster;
  const [failed, setFailed] = useState<string | null>(null);
  const put = (disaster: string | null) =>
    call("PUT", `/incidents/${incident.id}/disaster`, { disaster }).then(() => undefined);
  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
      showPanel("none");
    } catch (error) {
      setFailed(problemText(error));
    }
  };
  const place = (disaster: Disaster | null) =>
    attempt(async () => {
      const before = incident.disaster ?? null;
      await put(disaster?.id ?? null);
      say(disaster ? words.placed(disaster.name) : words.takenOut, () => put(before));
    });
  const add = (name: string) =>
    attempt(async () => {
      const { kind, exercise } = incident;
      const made = await post<Disaster>("/disasters", { name, kind, exercise }, { key: newKey() });
      await put(made.id);
      say(words.placed(made.name));
    });
  return { place, add, failed };
}
