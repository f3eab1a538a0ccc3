import { minutesSeconds, running, secondsSince, useNow } from "@shared/clock.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import type { Incident } from "@shared/shapes.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import { arrivalText } from "./arrival_text.ts";
import { type AxisItem, axisLength, axisTicks, placeMarks } from "./minute_axis.ts";
import { nameIn, shortName } from "./names.ts";
import { firstArrival, type PersonRow } from "./people.ts";

interface TimerProps {
  incident: Incident;
  rows: PersonRow[];
  /** The plan has an axis of its own. */
  hasAxis?: boolean;
}

/** The clock since the call, since the first alert, the first arrival, and the minute axis. */
export function TimerBlock({ incident, rows, hasAxis = true }: TimerProps) {
  const now = useNow();
  const all = useWords();
  const words = all.incident;
  const sinceAlert = secondsSince(incident.first_alert_at, now);
  const first = firstArrival(incident, rows);
  return (
    <section class="timer-block">
      <div class="clocks">
        <div class="hero">
          <span>{words.sinceCall}</span>
          <b role="timer">{running((now - Date.parse(incident.created_at)) / 1000)}</b>
        </div>
        <div class="second">
          <span>{sinceAlert === null ? words.notAlerted : words.sinceAlert}</span>
          <b>{sinceAlert === null ? "–" : running(sinceAlert)}</b>
        </div>
        <div class="first">
          <span>{first.tookS === null ? words.firstOnScene : words.arrivedAfter}</span>
          <b>
            {first.tookS !== null
              ? minutesSeconds(first.tookS)
              : first.inS === null
                ? "–"
                : arrivalText(first.inS, all)}
          </b>
        </div>
      </div>
      {hasAxis ? <MinuteAxis incident={incident} rows={rows} now={now} /> : null}
    </section>
  );
}

function MinuteAxis({ incident, rows, now }: { incident: Incident; rows: PersonRow[]; now: number }) {
  const words = useWords().incident;
  const latin = useLanguage() === "en";
  const [box, width] = useWidth();
  const elapsed = (now - Date.parse(incident.created_at)) / 1000;
  const length = axisLength(elapsed);
  const marks = placeMarks(axisItems(incident, rows, latin), length, width);
  const here = Math.min(1, Math.max(0, elapsed / length)) * width;
  return (
    <svg ref={box} class="axis" role="img" aria-label={words.axisLabel} data-marks={marks.length}>
      <rect x="0" y="25" width={width} height="6" rx="3" fill="var(--sunken)" />
      <rect x="0" y="25" width={here} height="6" rx="3" fill="var(--ink)" />
      {axisTicks(length).map(({ x, minute }, index, all) => (
        <g key={minute}>
          <path d={`M${Math.min(width - 0.5, Math.max(0.5, x * width))} 37v4`} stroke="var(--line2)" />
          <text
            class="tick"
            x={x * width}
            y="54"
            text-anchor={index === 0 ? "start" : index === all.length - 1 ? "end" : "middle"}
          >
            {minute}
            {index === all.length - 1 ? ` ${words.axisUnit}` : ""}
          </text>
        </g>
      ))}
      <rect x={here - 1.25} y="18" width="2.5" height="20" fill="var(--ink)" />
      {marks.map((mark) => {
        const colour = mark.kind === "aed" ? "var(--aed)" : "var(--ink)";
        return (
          <g key={mark.key}>
            <circle
              cx={mark.x}
              cy="28"
              r="5"
              fill={mark.done ? colour : "var(--raised)"}
              stroke={colour}
              stroke-width="2.5"
            />
            {mark.labelX === null ? null : (
              <text x={mark.labelX} y="13" class={mark.kind}>
                {mark.label}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}

function useWidth() {
  const box = useRef<SVGSVGElement>(null);
  const [width, setWidth] = useState(388);
  useEffect(() => {
    if (!box.current) return;
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 388));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return [box, width] as const;
}

/** Arrivals of people, of the first AED and of the ambulance, in seconds after the call. */
function axisItems(incident: Incident, rows: readonly PersonRow[], latin: boolean): AxisItem[] {
  const start = Date.parse(incident.created_at);
  const items: AxisItem[] = [];
  for (const { assignment, over, arrived } of rows) {
    const time = assignment?.times.on_scene_at ?? assignment?.eta_at;
    if (!assignment || !time || (over && !arrived)) continue;
    const atS = (Date.parse(time) - start) / 1000;
    const carries = assignment.role === "via_aed";
    const name = carries ? "AED" : shortName(nameIn(assignment, latin));
    items.push({
      key: assignment.id,
      label: `${name} ${minutesSeconds(atS)}`,
      atS,
      kind: carries ? "aed" : "person",
      done: arrived,
    });
  }
  const ambulance =
    incident.ambulance === "on_scene" ? incident.ambulance_changed_at : incident.ambulance_eta_at;
  if (ambulance) {
    const atS = (Date.parse(ambulance) - start) / 1000;
    items.push({
      key: "ambulance",
      label: `120 ${minutesSeconds(atS)}`,
      atS,
      kind: "ambulance",
      done: incident.ambulance === "on_scene",
    });
  }
  return items;
}
