import { timeOfDay } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Icon, type IconName } from "@shared/parts/icon.tsx";
import type { Way } from "@shared/shapes.ts";
import { type Words, wordFor } from "@shared/words/zh.ts";

const ICONS: Record<Way["channel"], IconName> = {
  live: "wifi",
  web_push: "bell",
  sms: "message",
  voice: "phone",
  wecom: "chat",
  dingtalk: "chat",
  feishu: "chat",
};

const BAD = new Set<Way["status"]>(["failed", "unacknowledged", "expired"]);
const REACHED = new Set<Way["status"]>(["delivered", "seen", "acted"]);

/** The channels on which a message did not get through, and why: what an unanswered alert may come from. */
export function brokenWays(ways: readonly Way[], words: Words): string {
  const own = words.decision;
  return ways
    .filter(({ status }) => BAD.has(status))
    .map(({ channel, status, why }) =>
      [wordFor(own.channel, channel), wordFor(own.why, why) || wordFor(own.way, status)].join(" "),
    )
    .join(words.parts.listComma);
}

/** How an alert fares on each channel: its symbol, its state, and why no further. */
export function Ladder({ ways }: { ways: readonly Way[] }) {
  const words = useWords();
  const own = words.decision;
  if (ways.length === 0) return null;
  return (
    <ul class="ladder" aria-label={own.ways}>
      {ways.map((way) => {
        const why = wordFor(own.why, way.why);
        const state = wordFor(own.way, way.status);
        const channel = wordFor(own.channel, way.channel);
        const look = BAD.has(way.status) ? "bad" : REACHED.has(way.status) ? "reached" : "";
        return (
          <li
            key={way.channel}
            class={look}
            data-channel={way.channel}
            data-state={way.status}
            title={[channel, state, why, way.at ? timeOfDay(way.at) : ""].filter(Boolean).join(" · ")}
          >
            <Icon name={ICONS[way.channel] ?? "bell"} size={13} label={channel} />
            <span>{BAD.has(way.status) && why ? `${state} · ${why}` : state}</span>
          </li>
        );
      })}
    </ul>
  );
}
