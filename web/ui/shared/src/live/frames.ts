/** The frames of the live log, as asyncapi.json describes them. */

import type { PositionItem } from "../shapes.ts";
import type { Cursors } from "./marks.ts";

export interface LiveEvent {
  topic: string;
  epoch: string;
  seq: string;
  kind: string;
  at: string;
  body: unknown;
  redelivered?: boolean;
}

export type Level = "received" | "shown";

/** What is broken in the way of an alert; consoles are told. */
export interface Trouble {
  kind: string;
  since: string;
  subject?: string | null;
  seconds?: number | null;
}

export interface Snapshot {
  type: "snapshot";
  topic: string;
  epoch: string;
  seq: string;
  body: unknown;
}

/** What a machine leaves to the app. */
export type ForApp =
  | Snapshot
  | ({ type: "event" } & LiveEvent)
  | { type: "positions"; topic: string; items: PositionItem[] }
  | { type: "ack_ok"; alert: string; level: Level }
  | { type: "error"; code: string; detail?: string; topic?: string; alert?: string };

export type Frame =
  | { type: "welcome"; server_time: string; heartbeat_s: number }
  | {
      type: "heartbeat";
      topics: Record<string, string>;
      server_time: string;
      heartbeat_s?: number;
      troubles?: Trouble[];
    }
  | ForApp;

export type Sent =
  | { type: "hello"; topics: Cursors; [more: string]: unknown }
  | { type: "ack"; alert: string; level: Level };

/** By a socket, or by polls where no socket gets through. */
export type Via = "socket" | "poll";

export type Phase = "connecting" | "live" | "reconnecting" | "sign_in" | "refused";

/** What a machine wants done. */
export type Output =
  | { do: "connect" }
  | { do: "drop"; via: Via }
  | { do: "send"; via: Via; frame: Sent }
  | { do: "poll"; topics: Cursors; wait_s: number }
  | { do: "hear"; frame: ForApp }
  | { do: "state"; phase: Phase };

/** Close codes after which the same try cannot succeed. */
export const isFinalClose = (code: number | null): boolean => code === 4001 || code === 4003;

/** Close codes that only our server says: the way to it is open. */
export const isOwnClose = (code: number | null): boolean =>
  code !== null && [4001, 4003, 1012, 1013, 4008, 4009, 4029].includes(code);
