import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { chanceOf, FakeServer, FakeSocket, TOPIC } from "./fake_server.ts";
import { Live } from "./socket.ts";

const MINUTES = 10;
let server: FakeServer;
let live: Live;
/** Every number that the app was given, in order; a snapshot as the number that it stands for. */
let heard: { snapshot?: number; event?: number }[];
let confirmed: string[];

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer(chanceOf(7));
  FakeSocket.server = server;
  const page = { addEventListener: () => undefined, removeEventListener: () => undefined };
  vi.stubGlobal("window", { ...page, setTimeout, clearTimeout });
  vi.stubGlobal("document", { ...page, visibilityState: "visible", documentElement: { lang: "en" } });
  vi.stubGlobal("location", { protocol: "http:", host: "test" });
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("fetch", (url: string, request: RequestInit) => server.fetch(url, request));
  heard = [];
  confirmed = [];
  live = new Live("test", {
    onSnapshot: (_topic, body) => heard.push({ snapshot: body as number }),
    onEvent: ({ body }) => heard.push({ event: body as number }),
    onAckOk: (alert) => confirmed.push(alert),
  });
});

afterEach(() => {
  live.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Ten minutes of events and cuts at random, then quiet until all is heard. */
async function storm(): Promise<void> {
  server.losesAnswers = true;
  for (let second = 0; second < MINUTES * 60; second += 1) {
    if (server.chance() < 0.5) server.append();
    if (server.chance() < 0.1) server.cut();
    await vi.advanceTimersByTimeAsync(1000);
  }
  server.losesAnswers = false;
  await vi.advanceTimersByTimeAsync(90_000);
}

/** One snapshot to begin with, then every number once. */
function expectAll(): void {
  const [first, ...rest] = heard;
  const from = first?.snapshot ?? Number.NaN;
  expect(rest.map(({ event }) => event)).toEqual(
    Array.from({ length: server.last - from }, (_, i) => from + 1 + i),
  );
}

describe("RT-17 ten minutes of random cuts: nothing missing, nothing twice", () => {
  it("over sockets", async () => {
    live.start([TOPIC]);
    await storm();
    expectAll();
    expect(live.state.get().phase).toBe("live");
  });

  it("over polls, where no socket gets through", async () => {
    server.letsSocketsThrough = false;
    live.start([TOPIC]);
    await storm();
    expectAll();
    expect(server.polls).toBeGreaterThan(20);
    expect(live.state.get().phase).toBe("live");
  });

  it("over both, as the network changes", async () => {
    live.start([TOPIC]);
    for (let round = 0; round < 4; round += 1) {
      server.letsSocketsThrough = !server.letsSocketsThrough;
      server.cut();
      await storm();
    }
    expectAll();
    expect(server.sockets.size).toBe(1);
  });
});

describe("RT-18 polls are for who has no socket", () => {
  it("a socket that gets through again takes over", async () => {
    server.letsSocketsThrough = false;
    live.start([TOPIC]);
    await vi.advanceTimersByTimeAsync(60_000);
    server.letsSocketsThrough = true;
    await vi.advanceTimersByTimeAsync(130_000);
    expect(server.sockets.size).toBe(1);
    const { polls } = server;
    await vi.advanceTimersByTimeAsync(120_000);
    expect(server.polls).toBe(polls);
  });

  it("acks go by requests until one is confirmed", async () => {
    server.letsSocketsThrough = false;
    live.start([TOPIC]);
    await vi.advanceTimersByTimeAsync(60_000);
    live.ack("a1", "received");
    await vi.advanceTimersByTimeAsync(120_000);
    expect(confirmed).toEqual(["a1"]);
    expect(server.acked).toEqual(["a1"]);
  });
});
