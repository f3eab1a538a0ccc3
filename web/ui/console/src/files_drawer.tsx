import { get } from "@shared/api.ts";
import { timeOfDay } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Attachment, Incident, Line, Page } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ACCEPT, attach, attached, sending } from "./attaching.ts";
import { showPanel } from "./state.ts";

/** Pictures and papers of an incident: look, add. */
export function FilesDrawer({ incident, lines }: { incident: Incident; lines: readonly Line[] }) {
  const words = useWords();
  const own = words.incidentLife.files;
  const files = useFiles(incident.id, lines);
  const count = useStore(sending);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  return (
    <section class="drawer tall" aria-label={own.title}>
      <h2>
        {own.title}
        <span role="status">
          {count ? own.sending(count) : files.length ? own.count(files.length) : own.none}
        </span>
      </h2>
      <ul class="thumbs">
        {files.map((file) => (
          <Thumb key={file.id} file={file} />
        ))}
      </ul>
      <div class="row">
        <label class="gm-button reg-file">
          <Icon name="plus" />
          {own.add}
          <input
            ref={field}
            type="file"
            class="sr-only"
            multiple
            accept={ACCEPT}
            onChange={(event) => {
              void attach(incident.id, [...(event.currentTarget.files ?? [])]);
              event.currentTarget.value = "";
            }}
          />
        </label>
        <span class="grow hint">{own.formats}</span>
        <Button keycap="Esc" onClick={() => showPanel("none")}>
          {words.parts.close}
        </Button>
      </div>
    </section>
  );
}

function useFiles(incident: string, lines: readonly Line[]): Attachment[] {
  const [files, setFiles] = useState<Attachment[]>([]);
  const told = lines.filter(({ kind }) => kind === "attached").length;
  const added = useStore(attached);
  useEffect(() => {
    const stop = new AbortController();
    get<Page<Attachment>>(`/incidents/${incident}/attachments`, {}, stop.signal)
      .then(({ items }) => setFiles(items))
      .catch(() => null);
    return () => stop.abort();
  }, [incident, told, added]);
  return files;
}

function Thumb({ file }: { file: Attachment }) {
  const own = useWords().incidentLife.files;
  const path = `/api/v1/incidents/${file.incident}/attachments/${file.id}`;
  const isPicture = file.media_type.startsWith("image/");
  const name = file.name ?? (isPicture ? own.picture : own.paper);
  return (
    <li>
      <a href={path} target="_blank" rel="noreferrer" title={own.open(name)}>
        {isPicture ? (
          <img src={path} alt={name} loading="lazy" width="96" height="72" />
        ) : (
          <span class="paper">
            <Icon name="note" size={20} />
            {own.paper}
          </span>
        )}
        <span class="ellipsis">{name}</span>
        <time dateTime={file.at}>{timeOfDay(file.at)}</time>
      </a>
    </li>
  );
}
