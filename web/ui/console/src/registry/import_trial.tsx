import { useLanguage, useWords } from "@shared/language.ts";
import { Button, Chip, Segments } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Point, Upload } from "@shared/shapes.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import { say } from "../toast.ts";
import { CRS } from "./aed_words.ts";
import { useSubmit } from "./drafts.ts";
import { Trouble } from "./form_parts.tsx";
import { Mapping, ReadingOptions } from "./import_mapping.tsx";
import { Counts, RejectedRows, Warnings } from "./import_result.tsx";
import { asAsked, askedToo, samplesOf } from "./import_words.ts";
import { showOnMap, useScene } from "./scene.ts";
import { Side } from "./side.tsx";
import { type ListOptions, readOtherwise, takeOver } from "./uploading.ts";
import { go } from "./where.ts";

/** What a list would do, how it is read, and the button that takes it over. */
export function ImportTrial({ upload }: { upload: Upload }) {
  const words = useWords().registry.list;
  const { reading, shown, change } = useReading(upload);
  const applying = useSubmit();
  usePreview(upload);
  const isDone = upload.applied_at !== null;
  const isComplete = upload.missing.length === 0;
  const apply = async () => {
    // What is taken over is what stands here: an answer that is still awaited may say otherwise.
    if (reading.isBusy) return say(words.trying);
    await applying.run(async (key) => {
      const { report } = await takeOver(upload.id, key);
      say(words.done(report?.added ?? 0, report?.changed ?? 0));
    }, upload.id);
  };
  return (
    <Side
      label={upload.name}
      head={<Head upload={upload} isBusy={reading.isBusy} />}
      notice={
        <>
          <Trouble problem={reading.problem} />
          <Trouble problem={applying.problem} />
        </>
      }
      actions={
        isDone ? <Another /> : <Apply upload={upload} isBusy={applying.isBusy} onApply={() => void apply()} />
      }
    >
      {upload.report && isComplete ? <Counts report={upload.report} /> : null}
      <Missing upload={upload} />
      {upload.kind === "aeds" && !isDone && isComplete ? <Datum upload={shown} onChange={change} /> : null}
      <Warnings upload={upload} />
      {upload.report ? <RejectedRows report={upload.report} /> : null}
      {isDone ? null : (
        <>
          <Mapping upload={shown} onChange={change} />
          <ReadingOptions upload={shown} onChange={change} />
        </>
      )}
    </Side>
  );
}

/** Each choice is tried at once; what is chosen meanwhile is tried next, so that none is lost. */
function useReading(upload: Upload) {
  const reading = useSubmit();
  const [asked, setAsked] = useState<ListOptions | null>(null);
  const waiting = useRef<ListOptions | null>(null);
  const isRunning = useRef(false);
  const change = async (options: ListOptions) => {
    waiting.current = askedToo(waiting.current, options);
    setAsked((before) => askedToo(before, options));
    if (isRunning.current) return;
    isRunning.current = true;
    while (waiting.current) {
      const next = waiting.current;
      waiting.current = null;
      await reading.run(() => readOtherwise(upload.id, next));
    }
    isRunning.current = false;
    setAsked(null);
  };
  return { reading, shown: asAsked(upload, asked), change: (options: ListOptions) => void change(options) };
}

/** Points by what becomes of their rows; three of them numbered while the datum can be chosen. */
function usePreview(upload: Upload): void {
  const { features } = upload.preview;
  const isAsking = upload.kind === "aeds" && upload.applied_at === null;
  useScene(
    () => ({
      marks: {
        aedTiles: upload.applied_at !== null,
        outcomes: features.map(({ geometry, properties }) => ({
          ...{ position: geometry as Point, name: properties.name, outcome: properties.outcome },
        })),
        ranks: isAsking
          ? samplesOf(upload).map(({ geometry, properties }, index) => ({
              ...{ id: String(properties.row), position: geometry as Point, rank: index + 1 },
              ...{ title: `${index + 1} ${properties.name}`, selected: true },
            }))
          : [],
      },
    }),
    [upload],
  );
  useEffect(
    () =>
      showOnMap(
        features.map(({ geometry }) => geometry as Point),
        16,
      ),
    [upload.id, upload.options.crs, features.length],
  );
}

function Head({ upload, isBusy }: { upload: Upload; isBusy: boolean }) {
  const words = useWords().registry.list;
  return (
    <div class="reg-head">
      <div>
        <h1 class="ellipsis">{upload.name}</h1>
        <p class="ellipsis" role="status">
          {isBusy
            ? words.trying
            : `${words.kinds[upload.kind]} · ${words.format(upload.format, upload.encoding ?? "")}`}
        </p>
      </div>
      {upload.applied_at ? <Chip>{words.applied}</Chip> : null}
    </div>
  );
}

function Missing({ upload }: { upload: Upload }) {
  const words = useWords().registry.list;
  const latin = useLanguage() === "en";
  if (upload.missing.length === 0) return null;
  const names = upload.fields
    .filter(({ name }) => upload.missing.includes(name))
    .map(({ zh, en }) => (latin ? en : zh));
  return (
    <p class="reg-lacking" role="alert">
      <Icon name="warn" />
      {words.missing(names.join(latin ? ", " : "、"))}
    </p>
  );
}

interface ChangeProps {
  upload: Upload;
  onChange: (options: ListOptions) => void;
}

/** The datum is asked with three places that a person can recognise on the map. */
function Datum({ upload, onChange }: ChangeProps) {
  const words = useWords().registry.list;
  const samples = samplesOf(upload);
  return (
    <fieldset class="reg-group">
      <legend>{words.samples}</legend>
      <Segments<string>
        label={words.crs}
        value={upload.options.crs}
        options={CRS.map((value) => ({ value, text: words.crsNames[value] }))}
        onChange={(crs) => onChange({ crs })}
      />
      {samples.length ? (
        <>
          <p class="reg-hint">{words.samplesAsk}</p>
          <ol class="reg-samples">
            {samples.map(({ properties, geometry }, index) => (
              <li key={properties.row}>
                <button type="button" onClick={() => showOnMap([geometry as Point])}>
                  <b class="rank">{index + 1}</b>
                  <span class="ellipsis">{properties.name || words.rows(String(properties.row))}</span>
                </button>
              </li>
            ))}
          </ol>
        </>
      ) : (
        <p class="reg-hint">{words.noPlaces}</p>
      )}
    </fieldset>
  );
}

function Apply({ upload, isBusy, onApply }: { upload: Upload; isBusy: boolean; onApply: () => void }) {
  const words = useWords().registry.list;
  const rows = (upload.report?.added ?? 0) + (upload.report?.changed ?? 0);
  const text = rows === 0 ? words.nothing : words.apply(rows);
  return (
    <Button
      look="primary"
      keycap="Ctrl+⏎"
      data-save=""
      disabled={isBusy || rows === 0 || upload.missing.length > 0}
      onClick={onApply}
    >
      {isBusy ? words.applying : text}
    </Button>
  );
}

function Another() {
  const words = useWords().registry.list;
  return <Button onClick={() => go({ item: null })}>{words.another}</Button>;
}
