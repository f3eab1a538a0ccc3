import { useLanguage, useWords } from "@shared/language.ts";
import { Button, Segments } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import { useStore } from "@shared/store.ts";
import { count, percent } from "./hours.ts";
import { ask, cityOf, plan } from "./plan_state.ts";
import { useHour } from "./when.ts";

const MINUTES = [2, 3, 4, 5, 6, 7, 8];

/** The baseline and everything its figures depend on; a change recomputes at once. */
export function Parameters() {
  const words = useWords().planner;
  const { coverage, question } = useStore(plan);
  const kind = words.demandKinds[coverage?.demand === "street" ? "street" : "building"];
  return (
    <aside class="panel left">
      <h2>{words.schemes}</h2>
      <div class="scheme" aria-current="true">
        <Icon name="shield" />
        <p>
          <b>{words.baseline}</b>
          <span>{words.baselineFacts(coverage?.aeds_known ?? 0)}</span>
        </p>
        <b>{coverage?.share == null ? "–" : `${percent(coverage.share)}%`}</b>
      </div>
      <h2 class="ruled">
        {words.parameters}
        <span>{words.recomputed}</span>
      </h2>
      <CityChoice />
      <p class="field-name">
        {words.within} · {words.minutes}
      </p>
      <Segments
        label={words.within}
        value={question.withinS / 60}
        options={MINUTES.map((value) => ({ value, text: String(value), name: words.minutesOf(value) }))}
        onChange={(minutes) => ask({ withinS: minutes * 60 })}
      />
      <HourChoice />
      <dl class="facts">
        <Fact name={words.mode} text={words.modeWalk} />
        <Fact
          name={words.demand}
          text={`${kind} ${coverage ? count(coverage.buildings) : "–"} ${words.demandUnits[coverage?.demand === "street" ? "street" : "building"]}`}
        />
        <Fact name={words.range} text={words.rangeText} />
        <Fact name={words.grid} text={`H3 · ${coverage?.hexagons.features.length ?? 0}`} />
        <Fact name={words.network} text={dataDay(cityOf(plan.get())?.imported_at)} />
      </dl>
      <p class="foot">{words.estimated}</p>
    </aside>
  );
}

const dataDay = (time: string | undefined) => (time ? `OSM ${time.slice(0, 10)}` : "OSM");

function Fact({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  );
}

function CityChoice() {
  const words = useWords().planner;
  const english = useLanguage() === "en";
  const state = useStore(plan);
  const city = cityOf(state);
  if (!city) return null;
  const title = (one: typeof city) => (english ? one.title_en : one.title_zh);
  if (state.cities.length < 2) {
    return (
      <dl class="facts">
        <Fact name={words.city} text={title(city)} />
      </dl>
    );
  }
  return (
    <label class="choice">
      <span class="field-name">{words.city}</span>
      <select
        value={city.name}
        onChange={({ currentTarget }) => ask({ dataset: currentTarget.value, hour: null })}
      >
        {state.cities.map((one) => (
          <option key={one.name} value={one.name}>
            {title(one)}
          </option>
        ))}
      </select>
    </label>
  );
}

function HourChoice() {
  const words = useWords().planner;
  const { question } = useStore(plan);
  const { hour } = useHour();
  const day = Math.floor(hour / 24);
  return (
    <div class="hour-choice">
      <label class="choice">
        <span class="field-name">{words.day}</span>
        <select
          value={day}
          onChange={({ currentTarget }) => ask({ hour: Number(currentTarget.value) * 24 + (hour % 24) })}
        >
          {words.days.map((name, index) => (
            <option key={name} value={index}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="choice">
        <span class="field-name">{words.clock}</span>
        <select
          value={hour % 24}
          onChange={({ currentTarget }) => ask({ hour: day * 24 + Number(currentTarget.value) })}
        >
          {Array.from({ length: 24 }, (_, clock) => (
            <option key={`${clock}:00`} value={clock}>
              {String(clock).padStart(2, "0")}:00
            </option>
          ))}
        </select>
      </label>
      <Button
        size="small"
        aria-pressed={question.hour === null}
        disabled={question.hour === null}
        onClick={() => ask({ hour: null })}
      >
        {question.hour === null ? words.now : words.toNow}
      </Button>
    </div>
  );
}
