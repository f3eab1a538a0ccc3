import { get } from "@shared/api.ts";
import { hourMinute, serverNow, timeOfDay, useNow } from "@shared/clock.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import type { Coverage, Figures, Page, Task } from "@shared/shapes.ts";
import { useSelect, useStore } from "@shared/store.ts";
import { wordFor } from "@shared/words/zh.ts";
import { Fragment } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useAsked } from "./registry/asking.ts";
import { useMayOpen } from "./registry/rights.ts";
import { dayMinute } from "./registry/when.ts";
import { go } from "./registry/where.ts";
import { sound, testSound } from "./sound.ts";
import { boards, figures, live, startNew } from "./state.ts";

/** Nothing open: what stands ready, what can be proved to work, and the one thing to do. */
export function IdlePanel() {
  const words = useWords().console;
  const known = useStore(figures);
  const language = useLanguage();
  const now = useNow();
  const open = useSelect(boards.board, (board) => Object.keys(board?.incidents ?? {}).length);
  const date = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", {
    month: "long",
    day: "numeric",
    weekday: "long",
  }).format(now);
  return (
    <aside class="side" aria-label={words.idle.title}>
      <div class="side-scroll idle">
        <p class="date">{date}</p>
        <h1>{open ? words.idle.open(open) : words.idle.title}</h1>
        <p>{open ? words.idle.choose : lastText(known, words.idle)}</p>
        <Cards known={known} />
        {known ? <AedBar known={known} /> : null}
        <hr />
        <LinkFacts />
      </div>
      <div class="actions">
        <Button look="primary" keycap="N" data-door="new" onClick={() => startNew()}>
          {words.idle.newIncident}
        </Button>
        <Button onClick={() => void testSound()}>{words.idle.testSound}</Button>
      </div>
    </aside>
  );
}

function lastText(known: Figures | null, words: ReturnType<typeof useWords>["console"]["idle"]): string {
  const closed = known?.closed_24h.filter((incident) => incident.closed_at) ?? [];
  const last = closed.reduce<string | null>(
    (latest, { closed_at }) => (closed_at && (!latest || closed_at > latest) ? closed_at : latest),
    null,
  );
  if (!last) return words.noneYet;
  const minutes = Math.max(0, Math.floor((serverNow() - Date.parse(last)) / 60_000));
  return words.last(hourMinute(last), words.hours(Math.floor(minutes / 60), minutes % 60));
}

function Cards({ known }: { known: Figures | null }) {
  const words = useWords().console.figures;
  const [coverage, setCoverage] = useState<Coverage | null>(null);
  useEffect(() => {
    get<Coverage>("/coverage", { within_s: 240 })
      .then(setCoverage)
      .catch(() => null);
  }, []);
  const share = coverage?.share ?? null;
  const responders = typeof known?.responders === "number" ? known.responders : null;
  return (
    <div class="cards">
      <div>
        {words.onDuty}
        <br />
        <b>{known?.on_duty ?? "–"}</b>
        <small>{words.people}</small>
        <br />
        {responders === null ? "" : words.ofResponders(responders)}
      </div>
      <div>
        {words.aedShare}
        <br />
        <b>{share === null ? "–" : Math.round(share * 100)}</b>
        <small>%</small>
        <br />
        {coverage ? words.aedsUsed(coverage.aeds_used) : ""}
      </div>
      <div>
        {words.aeds}
        <br />
        <b>{known?.aeds_usable ?? "–"}</b>
        <small>{words.devices}</small>
        <br />
        {known ? words.ofTotal(known.aeds_total) : ""}
      </div>
    </div>
  );
}

/** The registry as one bar: black is usable now; only what is broken has a hue. */
function AedBar({ known }: { known: Figures }) {
  const words = useWords().console.figures;
  const part = (name: string) => (typeof known[name] === "number" ? (known[name] as number) : 0);
  const [out, unknown] = [part("aeds_out_of_service"), part("aeds_unknown")];
  const closed = Math.max(0, known.aeds_total - known.aeds_usable - out - unknown);
  const parts = [
    { name: words.usable, count: known.aeds_usable, look: "yes" },
    { name: out + unknown > 0 ? words.closedNow : words.notUsable, count: closed, look: "no" },
    { name: words.unknown, count: unknown, look: "unknown" },
    { name: words.out, count: out, look: "out" },
  ].filter(({ count }) => count > 0);
  return (
    <section>
      <h2>
        AED <span>{`${known.aeds_total} ${words.devices}`}</span>
      </h2>
      <div class="aed-bar" aria-hidden="true">
        {parts.map(({ name, count, look }) => (
          <i key={name} class={look} style={{ flexGrow: count }} />
        ))}
      </div>
      <div class="legend">
        {parts.map(({ name, count, look }) => (
          <span key={name}>
            <i class={look} />
            {name} {count}
          </span>
        ))}
      </div>
    </section>
  );
}

/** What somebody of the office has to do, and by when the first of it. */
function TaskFacts() {
  const words = useWords().office.task;
  const may = useMayOpen();
  const { value } = useAsked<Page<Task>>(may("tasks") ? "/tasks" : null);
  if (!value) return null;
  const [first] = value.items;
  return (
    <>
      <dt>{words.title}</dt>
      <dd>
        <button
          type="button"
          class="link-button strong"
          onClick={() => go({ page: "tasks", part: null, item: null })}
        >
          {words.count(value.items.length)}
        </button>
      </dd>
      <dd>{first ? words.next(dayMinute(first.due_at)) : ""}</dd>
    </>
  );
}

/** Each way out of the house, and when it was last proved to work. */
function ChannelFacts() {
  const words = useWords();
  const text = words.console.idle.channels;
  const channels = useStore(figures)?.channels;
  if (!channels) return null;
  if (channels.length === 0)
    return (
      <>
        <dt>{text.title}</dt>
        <dd>
          <b>{text.appOnly}</b>
        </dd>
        <dd>{text.noGateway}</dd>
      </>
    );
  return (
    <>
      {channels.map(({ channel, is_test, silent_since, proved_at }) => (
        <Fragment key={channel}>
          <dt>{wordFor(words.decision.channel, channel)}</dt>
          <dd data-channel={channel} data-silent={silent_since !== null}>
            <b>{silent_since ? text.silent : is_test ? text.test : text.on}</b>
          </dd>
          <dd>{provedText(silent_since, proved_at, text)}</dd>
        </Fragment>
      ))}
    </>
  );
}

type ChannelWords = ReturnType<typeof useWords>["console"]["idle"]["channels"];

const provedText = (silent: string | null, proved: string | null, text: ChannelWords): string =>
  silent ? text.since(dayMinute(silent)) : proved ? text.proved(dayMinute(proved)) : text.unproved;

function LinkFacts() {
  const words = useWords();
  const text = words.console.idle;
  const { heardAt } = useStore(live.state);
  const { blocked, muted, testedAt } = useStore(sound);
  const now = useNow();
  const off = Math.round((now - Date.now()) / 1000);
  const ago = heardAt === null ? "–" : words.parts.ago(Math.round((Date.now() - heardAt) / 1000));
  return (
    <dl>
      <TaskFacts />
      <ChannelFacts />
      <dt>{text.link}</dt>
      <dd>
        <b>{useStore(live.state).phase === "live" ? words.parts.live.live : words.parts.live.reconnecting}</b>
      </dd>
      <dd>{`${text.lastHeard} ${ago}`}</dd>
      <dt>{text.clockOff}</dt>
      <dd>
        <b>{Math.abs(off) <= 1 ? text.clockOk : text.clockDiffers(off)}</b>
      </dd>
      <dd>{timeOfDay(Date.now())}</dd>
      <dt>{text.sound}</dt>
      <dd>
        <b>{muted ? text.soundOff : blocked ? text.soundBlocked : text.soundOn}</b>
      </dd>
      <dd>{testedAt ? text.tested(hourMinute(testedAt)) : ""}</dd>
    </dl>
  );
}
