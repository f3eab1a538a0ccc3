import { afterEach, describe, expect, it, vi } from "vitest";
import { call, Problem, patch, post } from "./api.ts";

interface Sent {
  url: string;
  method: string;
  headers: Record<string, string>;
}

/** Answer requests one after another and keep what was asked. */
function answers(...responses: (Response | Error)[]): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    sent.push({ url, method: init.method ?? "", headers: init.headers as Record<string, string> });
    const next = responses.shift();
    return next instanceof Error || next === undefined ? Promise.reject(next) : Promise.resolve(next);
  });
  return sent;
}

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });

describe("calls", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it("repeat a POST with the same key when the network fails, so that it happens once", async () => {
    vi.useFakeTimers();
    const sent = answers(new TypeError("network"), json(503, {}), json(201, { id: "1" }));
    const done = post<{ id: string }>("/incidents", { kind: "fire" });
    await vi.runAllTimersAsync();
    expect(await done).toEqual({ id: "1" });
    expect(sent).toHaveLength(3);
    expect(new Set(sent.map(({ headers }) => headers["Idempotency-Key"])).size).toBe(1);
  });
  it("do not repeat what was refused", async () => {
    const sent = answers(json(409, { code: "alert_over", title: "over", state: { status: "timed_out" } }));
    const error = await post("/alerts/1/accept").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Problem);
    expect((error as Problem).code).toBe("alert_over");
    expect(sent).toHaveLength(1);
  });
  it("name the version that a change was made from", async () => {
    const sent = answers(json(200, {}));
    await patch("/incidents/1", { severity: 2 }, 7);
    expect(sent[0]?.headers["If-Match"]).toBe('"7"');
  });
  it("leave out what was not asked for in the address", async () => {
    const sent = answers(json(200, {}));
    await call("GET", "/search", undefined, { query: { q: "rue", lon: 7.4, lat: null, limit: undefined } });
    expect(sent[0]?.url).toBe("/api/v1/search?q=rue&lon=7.4");
  });
  it("give up as offline", async () => {
    answers(new TypeError("network"));
    const error = await call("GET", "/me", undefined, { retries: 0 }).catch((reason: unknown) => reason);
    expect((error as Problem).code).toBe("offline");
  });
});
