import { running } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Badge } from "@shared/parts/badge.tsx";
import { Button, Keycap, Segments } from "@shared/parts/controls.tsx";
import { useStore } from "@shared/store.ts";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { acknowledge, openAlarm, sayAlarm } from "./alarm_strip.tsx";
import { setSingleKeys, singleKeys } from "./key_table.ts";
import { useWhere } from "./registry/where.ts";
import { showPanel, view } from "./state.ts";
import { acknowledged, useAlarms } from "./ticking.ts";

/** The help sheet and the list of alarms: beside the work, never in front of it. */
export function Sheets() {
  const { panel } = useStore(view);
  if (panel === "help") return <HelpSheet />;
  return panel === "alarms" ? <AlarmSheet /> : null;
}

function Sheet({ title, children }: { title: string; children: ComponentChildren }) {
  const words = useWords().parts;
  const box = useRef<HTMLElement>(null);
  useEffect(() => box.current?.focus(), []);
  return (
    <section class="sheet" ref={box} tabIndex={-1} aria-label={title}>
      <h2>
        {title}
        <Button size="small" keycap="Esc" onClick={() => showPanel("none")}>
          {words.close}
        </Button>
      </h2>
      {children}
    </section>
  );
}

function HelpSheet() {
  const { trouble, console: screen } = useWords();
  const words = screen.help;
  const on = useStore(singleKeys);
  const registry = useRegistryRows();
  const board: [string[], string][] = [
    [["N"], words.newIncident],
    [["D"], words.alert],
    [["S"], words.ambulance],
    [["L"], words.log],
    [["X"], words.standDown],
    [["G"], words.stock],
    [["R"], words.registry],
    [["E"], words.edit],
    [["J"], words.merge],
    [["V"], words.values],
    [["F"], words.files],
    [["B"], words.disaster],
    [["H"], words.review],
    [["1", "2", "3", "4"], words.severity],
    [["M"], words.centre],
    [["↑", "↓", "⏎", "Esc"], words.move],
    [["F2"], words.nextAction],
    [["F8"], trouble.key],
    [["F9"], words.alarms],
    [["A"], words.acknowledge],
    [["U"], words.undo],
    [["/"], words.commandBar],
    [["Ctrl", "⏎"], words.submit],
    [["?"], words.help],
  ];
  const rows = registry ?? board;
  return (
    <Sheet title={words.title}>
      <dl>
        {rows.map(([keys, text]) => [
          <dt key={`${text} keys`}>
            {keys.map((key) => (
              <Keycap key={key}>{key}</Keycap>
            ))}
          </dt>,
          <dd key={text}>
            <span class="sr-only">{keys.join(" ")}: </span>
            {text}
          </dd>,
        ])}
      </dl>
      <div class="option">
        <span>{words.off}</span>
        <Segments
          label={words.off}
          value={on ? "on" : "off"}
          options={[
            { value: "on", text: words.on },
            { value: "off", text: words.offWord },
          ]}
          onChange={(value) => setSingleKeys(value === "on")}
        />
      </div>
    </Sheet>
  );
}

/** The keys of the registry while it is shown. */
function useRegistryRows(): [string[], string][] | null {
  const words = useWords();
  const { keys } = words.registry;
  if (useWhere() === null) return null;
  return [
    [["1", "…", "6"], keys.pages],
    [["/"], keys.search],
    [["↑", "↓"], keys.move],
    [["⏎"], keys.open],
    [["N"], keys.add],
    [["Ctrl", "⏎"], keys.save],
    [["Esc"], keys.back],
    [["R"], keys.board],
    [["F2"], words.console.help.nextAction],
    [["F8"], words.trouble.key],
    [["F9"], words.console.help.alarms],
    [["?"], words.console.help.help],
  ];
}

function AlarmSheet() {
  const words = useWords();
  const { all } = useAlarms();
  const known = useStore(acknowledged);
  return (
    <Sheet title={words.console.alarm.title}>
      {all.length === 0 ? <p>{words.console.alarm.none}</p> : null}
      {all.map((alarm) => {
        const said = sayAlarm(alarm, words);
        return (
          <div class="alarm-row" key={alarm.key}>
            <Badge severity={alarm.level} size={20} />
            <b>{said.what}</b>
            <span>{running(alarm.sinceS)}</span>
            {known.has(alarm.key) ? null : (
              <Button size="small" onClick={() => acknowledge(alarm)}>
                {words.console.alarm.acknowledge}
              </Button>
            )}
            <Button size="small" onClick={() => openAlarm(alarm, said.panel)}>
              {said.button}
            </Button>
          </div>
        );
      })}
    </Sheet>
  );
}
