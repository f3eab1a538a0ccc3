import { call, get, Problem, post } from "@shared/api.ts";
import { currentLanguage } from "@shared/language.ts";
import type { ListKind, Upload, UploadReport } from "@shared/shapes.ts";
import { createStore, useStore } from "@shared/store.ts";
import { useEffect, useState } from "preact/hooks";
import { touch } from "./asking.ts";

/** A trial takes seconds with a long list: what was answered is kept while the page is open. */
const known = createStore<Upload | null>(null);

export interface ListOptions {
  crs?: string;
  encoding?: string | null;
  columns?: Record<string, string | null>;
  keep_far?: boolean;
  source?: string | null;
  layout?: string | null;
}

/** Send a file in and learn what it would do; nothing of it is written yet. */
export async function sendIn(kind: ListKind, file: File, crs: string, key: string): Promise<Upload> {
  const content = new Blob([file], { type: "application/octet-stream" });
  const query = { name: file.name.slice(0, 200), crs: kind === "aeds" ? crs : null };
  const upload = await post<Upload>(`/imports/${kind}`, content, { key, query });
  known.set(upload);
  touch();
  return upload;
}

/** Read the list otherwise and try it again. */
export async function readOtherwise(id: string, options: ListOptions): Promise<void> {
  known.set(await call<Upload>("PATCH", `/imports/${id}`, options));
}

export async function takeOver(id: string, key: string): Promise<Upload> {
  const done = await post<Upload>(`/imports/${id}/apply`, {}, { key });
  known.set(done);
  touch();
  return done;
}

export interface Opened {
  upload: Upload | null;
  /** Of a list that was taken over before: its file is gone. */
  report: UploadReport | null;
  problem: Problem | null;
}

/** The list with this id: as it was just answered, else tried anew. */
export function useUpload(id: string): Opened {
  const upload = useStore(known);
  const [problem, setProblem] = useState<Problem | null>(null);
  const isKnown = upload?.id === id;
  useEffect(() => {
    if (isKnown) return;
    let current = true;
    get<Upload>(`/imports/${id}`, { lang: currentLanguage() })
      .then((answer) => current && known.set(answer))
      .catch((error: unknown) => current && error instanceof Problem && setProblem(error));
    return () => {
      current = false;
    };
  }, [id, isKnown]);
  const state = problem?.body.state as Partial<UploadReport> | undefined;
  const report = state && typeof state.added === "number" ? (state as UploadReport) : null;
  return { upload: isKnown ? upload : null, report, problem };
}
