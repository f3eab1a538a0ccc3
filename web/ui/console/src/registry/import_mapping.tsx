import { post } from "@shared/api.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import type { Layout, Upload } from "@shared/shapes.ts";
import { useState } from "preact/hooks";
import { say } from "../toast.ts";
import { touch } from "./asking.ts";
import { useSubmit } from "./drafts.ts";
import { Trouble } from "./form_parts.tsx";
import { LayoutChoice } from "./import_layout.tsx";
import { type FieldRow, fieldRows, layoutColumns } from "./import_words.ts";
import type { ListOptions } from "./uploading.ts";

const ENCODINGS = ["utf-8", "gb18030", "big5", "shift_jis", "euc_kr"];

interface Props {
  upload: Upload;
  onChange: (options: ListOptions) => void;
}

/** Which column is which field: those in use first, the others behind a fold. */
export function Mapping({ upload, onChange }: Props) {
  const words = useWords().registry.list;
  const latin = useLanguage() === "en";
  const rows = fieldRows(upload, latin);
  const used = rows.filter(({ column, isRequired }) => column !== "" || isRequired);
  const others = rows.filter((row) => !used.includes(row));
  // A list of which nothing can be used has columns to be found; afterwards the fold is the reader's.
  const [isOpenFirst] = useState(() => isUnread(upload));
  return (
    <section class="reg-group">
      <h2>{words.mapping}</h2>
      <LayoutChoice upload={upload} onChange={onChange} />
      <MappingTable rows={used} upload={upload} onChange={onChange} />
      {others.length ? (
        <details class="reg-fold" open={isOpenFirst}>
          <summary>{words.moreFields(others.length)}</summary>
          <MappingTable rows={others} upload={upload} onChange={onChange} />
        </details>
      ) : null}
      <KeepLayout upload={upload} onChange={onChange} />
    </section>
  );
}

function isUnread({ missing, report }: Upload): boolean {
  const taken = report ? report.added + report.changed + report.unchanged : 0;
  return missing.length > 0 || taken === 0;
}

function MappingTable({ rows, upload, onChange }: Props & { rows: readonly FieldRow[] }) {
  const words = useWords().registry;
  return (
    <table class="reg-table reg-mapping">
      <thead>
        <tr>
          <th scope="col">{words.list.field}</th>
          <th scope="col">{words.list.column}</th>
          <th scope="col">{words.list.example}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.name}>
            <th scope="row">
              {row.label}
              {row.isRequired ? <span class="required"> · {words.required}</span> : null}
            </th>
            <td>
              <div class={`gm-field ${upload.missing.includes(row.name) ? "bad" : ""}`}>
                <select
                  aria-label={row.label}
                  value={row.column}
                  onChange={(event) =>
                    onChange({ columns: { [row.name]: event.currentTarget.value || null } })
                  }
                >
                  <option value="">{words.list.notMapped}</option>
                  {row.isSeveral ? (
                    <option value={row.column}>{words.list.several(row.column)}</option>
                  ) : null}
                  {upload.columns.map((column) => (
                    <option key={column} value={column}>
                      {column}
                    </option>
                  ))}
                </select>
              </div>
            </td>
            <td class="ellipsis" title={row.example}>
              {row.example}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Keep what is chosen here under a name, for the next list of this office. */
function KeepLayout({ upload, onChange }: Props) {
  const words = useWords().registry.list;
  const { isBusy, problem, run } = useSubmit();
  const [name, setName] = useState("");
  const body = { kind: upload.kind, name: name.trim(), columns: layoutColumns(upload) };
  const keep = () =>
    run(async (key) => {
      await post<Layout>("/import-layouts", body, { key });
      say(words.layoutSaved(body.name));
      setName("");
      touch();
      onChange({ layout: body.name });
    }, body);
  return (
    <>
      <form
        class="reg-line"
        onSubmit={(event) => {
          event.preventDefault();
          if (body.name && !isBusy) void keep();
        }}
      >
        <div class="gm-field">
          <input
            name="layout_name"
            aria-label={words.layoutName}
            placeholder={words.layoutName}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </div>
        <Button type="submit" disabled={isBusy || body.name === ""}>
          {words.layoutSave}
        </Button>
      </form>
      <Trouble problem={problem} />
    </>
  );
}

/** How the file is read besides its columns. */
export function ReadingOptions({ upload, onChange }: Props) {
  const words = useWords().registry.list;
  const { encoding, keep_far, source } = upload.options;
  return (
    <section class="reg-group">
      <div class="reg-fields">
        <div>
          <label for="list-encoding">{words.encoding}</label>
          <div class="gm-field">
            <select
              id="list-encoding"
              value={encoding ?? ""}
              onChange={(event) => onChange({ encoding: event.currentTarget.value || null })}
            >
              <option value="">{words.encodingAuto}</option>
              {ENCODINGS.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </div>
        </div>
        {upload.kind === "aeds" ? (
          <div>
            <label for="list-source">{words.source}</label>
            <div class="gm-field">
              <input
                id="list-source"
                value={source ?? ""}
                onChange={(event) => onChange({ source: event.currentTarget.value.trim() || null })}
              />
            </div>
            <p class="reg-hint">{words.sourceHint}</p>
          </div>
        ) : null}
      </div>
      {upload.kind === "aeds" ? (
        <label class="reg-check">
          <input
            type="checkbox"
            checked={keep_far}
            onChange={(event) => onChange({ keep_far: event.currentTarget.checked })}
          />
          {words.keepFar}
        </label>
      ) : null}
    </section>
  );
}
