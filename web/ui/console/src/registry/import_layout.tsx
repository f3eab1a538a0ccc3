import { useLanguage, useWords } from "@shared/language.ts";
import type { KnownLayout, Layout, Upload } from "@shared/shapes.ts";
import { useId } from "preact/hooks";
import { useList } from "./asking.ts";
import { keptThatFit } from "./import_words.ts";
import type { ListOptions } from "./uploading.ts";

interface Props {
  upload: Upload;
  onChange: (options: ListOptions) => void;
}

/** The layout that the list is read in: as it was found, one that fits too, or one kept here. */
export function LayoutChoice({ upload, onChange }: Props) {
  const words = useWords().registry.list;
  const latin = useLanguage() === "en";
  const id = useId();
  const listed = useList<Layout>("/import-layouts", { kind: upload.kind, limit: null });
  const kept = keptThatFit(listed.items, upload.columns);
  const said = ({ zh, en }: KnownLayout) => (latin ? en : zh);
  const found = upload.layouts.find(({ name }) => name === upload.layout);
  const { layout: chosen } = upload.options;
  const guessed = chosen === null && found ? words.layoutGuessed(said(found)) : words.encodingAuto;
  const options = (fits: boolean) =>
    upload.layouts.filter((known) => known.fits === fits).map((known) => ({ ...known, text: said(known) }));
  return (
    <div class="reg-fields reg-layout">
      <div class="wide">
        <label for={id}>{words.layout}</label>
        <div class="gm-field">
          <select
            id={id}
            value={chosen ?? ""}
            onChange={(event) => onChange({ layout: event.currentTarget.value || null })}
          >
            <option value="">{guessed}</option>
            <Group label={words.layoutKept} options={kept.map(({ name }) => ({ name, text: name }))} />
            <Group label={words.layoutFits} options={options(true)} />
            <Group label={words.layoutOthers} options={options(false)} />
          </select>
        </div>
      </div>
    </div>
  );
}

function Group({ label, options }: { label: string; options: readonly { name: string; text: string }[] }) {
  if (options.length === 0) return null;
  return (
    <optgroup label={label}>
      {options.map(({ name, text }) => (
        <option key={name} value={name}>
          {text}
        </option>
      ))}
    </optgroup>
  );
}
