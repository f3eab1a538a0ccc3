import { useWords } from "@shared/language.ts";
import { Segments } from "@shared/parts/controls.tsx";
import type { ListKind } from "@shared/shapes.ts";
import { createStore, useStore } from "@shared/store.ts";
import { useState } from "preact/hooks";
import { FileButton } from "./aed_photos.tsx";
import { CRS } from "./aed_words.ts";
import { useSubmit } from "./drafts.ts";
import { Trouble } from "./form_parts.tsx";
import { Counts } from "./import_result.tsx";
import { ImportTrial } from "./import_trial.tsx";
import { Bars } from "./list_pane.tsx";
import { useMayChange } from "./rights.ts";
import { useScene } from "./scene.ts";
import { Side } from "./side.tsx";
import { sendIn, useUpload } from "./uploading.ts";
import { go, useWhere } from "./where.ts";

const KINDS: readonly ListKind[] = ["aeds", "responders", "stock"];
const ACCEPT = ".csv,.tsv,.txt,.xlsx,.geojson,.json,.kml,.xml";

const chosen = createStore<{ kind: ListKind; crs: string }>({ kind: "aeds", crs: CRS[0] });

/** The right column of the import page: choose a file, or look at what a list would do. */
export function ImportSide() {
  const item = useWhere()?.item ?? null;
  return item && item !== "new" ? <OneImport key={item} id={item} /> : <NewImport />;
}

function NewImport() {
  const words = useWords().registry.list;
  const { kind, crs } = useStore(chosen);
  const { isBusy, problem, run } = useSubmit();
  const [isOver, setOver] = useState(false);
  const may = {
    aeds: useMayChange("aeds"),
    responders: useMayChange("responders"),
    stock: useMayChange("stock"),
  };
  useScene(() => ({ marks: { aedTiles: kind === "aeds" } }), [kind]);
  const send = (file: File) =>
    run(
      async (key) => go({ item: (await sendIn(kind, file, crs, key)).id }),
      [kind, crs, file.name, file.size, file.lastModified],
    );
  return (
    <Side label={words.title} title={words.title} notice={<Trouble problem={problem} />}>
      <fieldset class="reg-group">
        <legend>{words.kind}</legend>
        <Segments<ListKind>
          label={words.kind}
          value={kind}
          options={KINDS.filter((value) => may[value]).map((value) => ({ value, text: words.kinds[value] }))}
          onChange={(value) => chosen.set({ crs, kind: value })}
          follow
        />
      </fieldset>
      {kind === "aeds" ? (
        <fieldset class="reg-group">
          <legend>{words.crs}</legend>
          <Segments<string>
            label={words.crs}
            value={crs}
            options={CRS.map((value) => ({ value, text: words.crsNames[value] }))}
            onChange={(value) => chosen.set({ kind, crs: value })}
            follow
          />
          <p class="reg-hint">{words.crsHint}</p>
        </fieldset>
      ) : null}
      <fieldset
        class={`reg-drop ${isOver ? "over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          const [file] = event.dataTransfer?.files ?? [];
          if (file) void send(file);
        }}
      >
        <legend class="sr-only">{words.choose}</legend>
        <p>{isBusy ? words.trying : words.drop}</p>
        <FileButton label={words.choose} accept={ACCEPT} onFile={(file) => void send(file)} />
        <p class="reg-hint">{words.formats}</p>
      </fieldset>
    </Side>
  );
}

function OneImport({ id }: { id: string }) {
  const words = useWords().registry.list;
  const { upload, report, problem } = useUpload(id);
  if (upload) return <ImportTrial upload={upload} />;
  return (
    <Side label={words.title} title={words.title}>
      {report ? (
        <>
          <Counts report={report} />
          <p class="reg-note">{words.over}</p>
        </>
      ) : null}
      {problem && !report ? <Trouble problem={problem} /> : null}
      {problem ? null : <Bars />}
    </Side>
  );
}
