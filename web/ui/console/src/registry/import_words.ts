/** PURE. Rows, columns and sample points of a list, as the import page shows them. */

import type { PreviewPoint, Upload } from "@shared/shapes.ts";

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
