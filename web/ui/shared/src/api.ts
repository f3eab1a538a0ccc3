import { currentLanguage } from "./language.ts";
import type { ProblemBody } from "./shapes.ts";

/** A refusal of the server, or `offline` when it could not be reached. */
export class Problem extends Error {
  readonly body: ProblemBody;
  /** How long the server asks to wait, when it says so. */
  readonly retryAfterS: number | null;
  constructor(body: ProblemBody, retryAfterS: number | null = null) {
    super(body.detail ?? body.title);
    this.body = body;
    this.retryAfterS = retryAfterS;
  }
  get code(): string {
    return this.body.code;
  }
  get status(): number {
    return this.body.status;
  }
}

type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
type Query = Record<string, string | number | boolean | null | undefined>;

export interface CallOptions {
  query?: Query;
  /** Sent as If-Match; needed by every PATCH. */
  version?: number;
  /** The same key for the same intent makes a repeat harmless; one is made for each POST otherwise. */
  key?: string;
  /** How many times to try again while the server cannot be reached or asks to wait. */
  retries?: number;
  signal?: AbortSignal;
}

const PAUSES_MS = [400, 1000, 2500, 5000];
const WORTH_REPEATING = new Set([429, 502, 503, 504]);

export const newKey = (): string => crypto.randomUUID();

/** Ask the API for something under /api/v1 and return the JSON answer, or throw a Problem. */
export async function call<T>(
  method: Method,
  path: string,
  body?: unknown,
  options: CallOptions = {},
): Promise<T> {
  const request = makeRequest(method, body, options);
  // The server would answer in the language of the person's record; a refusal is read on this screen.
  const spoken = method === "GET" ? {} : { lang: currentLanguage() };
  const url = address(path, { ...options.query, ...spoken });
  const retries = options.retries ?? (method === "GET" ? 1 : 3);
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await tryOnce<T>(url, request);
    if (outcome.done) return outcome.value;
    if (attempt >= retries || !outcome.again) throw outcome.problem;
    await pause(outcome.waitMs ?? PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)] ?? 1000);
  }
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal) =>
  call<T>("GET", path, undefined, { query, signal });
export const post = <T>(path: string, body: unknown = {}, options?: CallOptions) =>
  call<T>("POST", path, body, options);
export const patch = <T>(path: string, body: unknown, version: number) =>
  call<T>("PATCH", path, body, { version });
export const put = <T>(path: string, body: unknown) => call<T>("PUT", path, body);

function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return `/api/v1${path}${text ? `?${text}` : ""}`;
}

function makeRequest(method: Method, body: unknown, options: CallOptions): RequestInit {
  const headers: Record<string, string> = {
    Accept: "application/json",
    "Accept-Language": currentLanguage() === "zh" ? "zh-CN" : "en",
  };
  // A file goes as it is; everything else as JSON.
  const file = body instanceof Blob ? body : null;
  if (body !== undefined) headers["Content-Type"] = file ? file.type : "application/json";
  if (method === "POST") headers["Idempotency-Key"] = options.key ?? newKey();
  if (options.version !== undefined) headers["If-Match"] = `"${options.version}"`;
  return {
    method,
    headers,
    body: file ?? (body === undefined ? null : JSON.stringify(body)),
    credentials: "same-origin",
    signal: options.signal ?? null,
  };
}

type Outcome<T> =
  | { done: true; value: T }
  | { done: false; problem: Problem; again: boolean; waitMs?: number };

async function tryOnce<T>(url: string, request: RequestInit): Promise<Outcome<T>> {
  let response: Response;
  try {
    response = await fetch(url, request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    return {
      done: false,
      again: true,
      problem: new Problem({ title: "offline", status: 0, code: "offline" }),
    };
  }
  if (response.ok) return { done: true, value: (await readJson(response)) as T };
  const header = Number(response.headers.get("Retry-After"));
  const after = Number.isFinite(header) && header > 0 ? header : null;
  return {
    done: false,
    problem: new Problem(await readProblem(response), after),
    again: WORTH_REPEATING.has(response.status),
    waitMs: after === null ? undefined : after * 1000,
  };
}

async function readJson(response: Response): Promise<unknown> {
  if (response.status === 204) return null;
  return response.json();
}

async function readProblem(response: Response): Promise<ProblemBody> {
  try {
    const body = (await response.json()) as Partial<ProblemBody>;
    return {
      title: response.statusText,
      code: `http_${response.status}`,
      ...body,
      status: response.status,
    };
  } catch {
    return { title: response.statusText, status: response.status, code: `http_${response.status}` };
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
