/** PURE. Rows, columns and sample points of a list, as the import page shows them. */

import type { Layout, PreviewPoint, Upload } from "@shared/shapes.ts";
import type { ListOptions } from "./uploading.ts";

const RANGES_MOST = 12;

/** 3–5, 9, 12 … of sorted row numbers. */
export function rowsText(rows: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const row of rows) {
    const last = ranges.at(-1);
    if (last && row === last[1] + 1) last[1] = row;
    else ranges.push([row, row]);
  }
  const said = ranges.slice(0, RANGES_MOST).map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`));
  return ranges.length > RANGES_MOST ? `${said.join(", ")} …` : said.join(", ");
}

type Preview = GeoJSON.Feature<GeoJSON.Point, PreviewPoint>;

/** Three places of the list, far apart in it: the first, the middle one and the last with a name. */
export function samplesOf({ preview }: Pick<Upload, "preview">): Preview[] {
  const named = preview.features.filter(({ properties }) => properties.name);
  const from = named.length >= 3 ? named : preview.features;
  const places = [0, Math.floor((from.length - 1) / 2), from.length - 1];
  return [...new Set(places)].flatMap((at) => from[at] ?? []);
}

/** One thing asked after another: another layout undoes what was mapped by hand before. */
export function askedToo(before: ListOptions | null, more: ListOptions): ListOptions {
  const { columns: mapped, ...options } = before ?? {};
  if (more.layout !== undefined || !(mapped || more.columns)) return { ...options, ...more };
  return { ...options, ...more, columns: { ...mapped, ...more.columns } };
}

/** The list as it is while the answer to what was asked is still awaited: the choices stand at once. */
export function asAsked(upload: Upload, asked: ListOptions | null): Upload {
  if (asked === null) return upload;
  const { columns = {}, ...options } = asked;
  const told = Object.entries({ ...upload.mapping, ...columns });
  const mapping = Object.fromEntries(told.flatMap(([name, column]) => (column ? [[name, column]] : [])));
  return { ...upload, mapping, options: { ...upload.options, ...options } };
}

/** Layouts of which the list has every column first; each name once, as the server finds the first. */
export function keptThatFit(kept: readonly Layout[], columns: readonly string[]): Layout[] {
  const present = new Set(columns);
  const fits = (layout: Layout) =>
    Object.values(layout.columns)
      .flat()
      .every((column) => present.has(column));
  const known = kept.filter(({ name }, at) => kept.findIndex((other) => other.name === name) === at);
  return [...known.filter(fits), ...known.filter((layout) => !fits(layout))];
}

/** What is kept as a layout: each field with its columns, those that are not read with none. */
export function layoutColumns({
  fields,
  mapping,
}: Pick<Upload, "fields" | "mapping">): Record<string, string | string[]> {
  return Object.fromEntries(fields.map(({ name }) => [name, mapping[name] ?? []]));
}

export interface FieldRow {
  name: string;
  label: string;
  isRequired: boolean;
  /** The column, or several joined. */
  column: string;
  isSeveral: boolean;
  example: string;
}

/** Which column is read as which field, with what stands in its first rows. */
export function fieldRows(upload: Upload, latin: boolean): FieldRow[] {
  return upload.fields.map((field) => {
    const told = upload.mapping[field.name];
    const columns = told === undefined ? [] : [told].flat();
    const example = upload.sample.flatMap((row) => columns.map((column) => row[column] ?? "")).find(Boolean);
    return {
      name: field.name,
      label: latin ? field.en : field.zh,
      isRequired: field.is_required,
      column: columns.join(" + "),
      isSeveral: columns.length > 1,
      example: example ?? "",
    };
  });
}
