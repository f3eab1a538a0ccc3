import { useLanguage, useWords } from "@shared/language.ts";
import { aedState } from "@shared/map/aed_state.ts";
import { aedTitle } from "@shared/map/aed_title.ts";
import { AedMark } from "@shared/parts/aed_mark.tsx";
import { Chip } from "@shared/parts/controls.tsx";
import type { Aed } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { wordFor } from "@shared/words/zh.ts";
import { goTo } from "./camera.ts";
import { landmarkOf } from "./gap_names.ts";
import { percent } from "./hours.ts";
import { plan } from "./plan_state.ts";
import { useHour } from "./when.ts";

/** AEDs that cannot be relied on at the hour shown, and why. */
export function ClosedTable() {
  const all = useWords();
  const words = all.planner;
  const { aeds, coverage } = useStore(plan);
  const { when } = useHour();
  const closed = aeds.filter((aed) => aed.status !== "withdrawn" && aed.usable !== "yes");
  return (
    <section class="panel table" aria-label={words.closed}>
      <h2>
        {words.closed}
        <span>
          {words.closedCount(closed.length)} · {when}
        </span>
      </h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th class="mark" />
              <th>{words.columns.name}</th>
              <th>{words.columns.reason}</th>
              <th>{words.columns.hours}</th>
              <th>{words.columns.address}</th>
            </tr>
          </thead>
          <tbody>
            {closed.map((aed) => (
              <ClosedRow
                key={aed.id}
                aed={aed}
                at={coverage ? Date.parse(coverage.at) : 0}
                timeZone={coverage?.time_zone}
              />
            ))}
          </tbody>
        </table>
        {closed.length === 0 && coverage ? <p class="empty">{words.closedNone}</p> : null}
      </div>
    </section>
  );
}

function ClosedRow({ aed, at, timeZone }: { aed: Aed; at: number; timeZone: string | undefined }) {
  const all = useWords();
  const words = all.planner;
  const language = useLanguage();
  const opens =
    aed.usable === "no" && aed.usable_until
      ? words.opensAt(dayAndTime(aed.usable_until, at, timeZone, language))
      : "";
  return (
    <tr>
      <td class="mark">
        <AedMark state={aedState(aed, at)} size={20} label={wordFor(all.domain.usable, aed.usable)} />
      </td>
      <td>
        <button type="button" class="row-link" onClick={() => goTo(aed.position.coordinates, 17)}>
          {aedTitle(aed)}
        </button>
        {aed.is_invented ? <Chip>{all.parts.invented}</Chip> : null}
      </td>
      <td>{[wordFor(words.why, aed.usable_reason), opens].filter(Boolean).join(" · ")}</td>
      <td>{aed.hours ?? aed.hours_note ?? "–"}</td>
      <td>{aed.address ?? aed.location_note ?? "–"}</td>
    </tr>
  );
}

/** In the clock of the city, wherever the planner sits. */
function dayAndTime(time: string, at: number, timeZone: string | undefined, language: string): string {
  const write = (when: string | number, how: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", { timeZone, ...how }).format(
      new Date(when),
    );
  const clock = write(time, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const sameDay = write(time, { dateStyle: "short" }) === write(at, { dateStyle: "short" });
  return sameDay ? clock : `${write(time, { weekday: "short" })} ${clock}`;
}

const SHOWN = 40;

/** The cells where the most is out of reach. */
export function GapTable() {
  const all = useWords();
  const words = all.planner;
  const { coverage, aeds } = useStore(plan);
  const known = aeds.filter((aed) => aed.status !== "withdrawn");
  const nameOf = (cell: string, centre: [number, number]) => {
    const near = landmarkOf(centre, known);
    return near ? words.near(near.name, all.parts.metres(near.metres)) : cell.replace(/f+$/, "");
  };
  const kind = words.demandKinds[coverage?.demand === "street" ? "street" : "building"];
  const cells = [...(coverage?.hexagons.features ?? [])]
    .filter(({ properties }) => properties.covered < properties.buildings)
    .sort((a, b) => missing(b.properties) - missing(a.properties))
    .slice(0, SHOWN);
  return (
    <section class="panel table gaps" aria-label={words.gaps}>
      <h2>
        {words.gaps}
        <span>{words.gapsBy(kind)}</span>
      </h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>{words.columns.cell}</th>
              <th class="number">{words.columns.missing}</th>
              <th class="number">{words.columns.all}</th>
              <th>{words.columns.share}</th>
            </tr>
          </thead>
          <tbody>
            {cells.map(({ properties, geometry }) => (
              <tr key={properties.cell}>
                <td>
                  <button
                    type="button"
                    class="row-link"
                    title={`${nameOf(properties.cell, centreOf(geometry))} · ${words.cellCode(properties.cell)}`}
                    onClick={() => goTo(centreOf(geometry))}
                  >
                    {nameOf(properties.cell, centreOf(geometry))}
                  </button>
                </td>
                <td class="number strong">{Math.round(missing(properties))}</td>
                <td class="number">{Math.round(properties.buildings)}</td>
                <td>
                  <span class="bar-cell">
                    <i>
                      <i style={{ width: `${properties.share * 100}%` }} />
                    </i>
                    {percent(properties.share)}%
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const missing = (cell: { buildings: number; covered: number }) => cell.buildings - cell.covered;

function centreOf({ coordinates }: GeoJSON.Polygon): [number, number] {
  const ring = (coordinates[0] ?? []).slice(1);
  const sum = ring.reduce<[number, number]>(([x, y], [lon = 0, lat = 0]) => [x + lon, y + lat], [0, 0]);
  return [sum[0] / (ring.length || 1), sum[1] / (ring.length || 1)];
}
