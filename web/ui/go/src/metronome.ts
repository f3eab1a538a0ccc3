import { useEffect, useRef, useState } from "preact/hooks";
import { audio, tone, unlockSound } from "./alarm.ts";
import { beatsBetween, type Mode, type Moment, momentAt, untilRelief } from "./beats.ts";

const AHEAD_S = 0.4;
const LOOK_MS = 100;

/** Beats by the audio clock, drawn by what that clock says; without audio the monotonic clock serves. */
export function useMetronome(bpm: number, mode: Mode, loud: boolean): { elapsed: number; moment: Moment } {
  const [shown, setShown] = useState<{ elapsed: number; moment: Moment }>({
    elapsed: 0,
    moment: { phase: "press", count: 1 },
  });
  const begun = useRef(performance.now());
  useEffect(() => {
    unlockSound();
    const speaker = audio();
    // The rhythm begins anew when rate or mode change; the elapsed time does not.
    const origin = performance.now();
    const drum = loud && speaker ? drumFrom(speaker, bpm, mode) : null;
    let frame = 0;
    const draw = () => {
      const rhythm = drum?.elapsed() ?? (performance.now() - origin) / 1000;
      const next = momentAt(Math.max(0, rhythm), bpm, mode);
      const elapsed = Math.floor((performance.now() - begun.current) / 1000);
      setShown((old) =>
        same(old.moment, next) && old.elapsed === elapsed ? old : { elapsed, moment: next },
      );
      frame = requestAnimationFrame(draw);
    };
    draw();
    return () => {
      cancelAnimationFrame(frame);
      drum?.stop();
    };
  }, [bpm, mode, loud]);
  useBell(shown.elapsed, loud);
  return shown;
}

const same = (a: Moment, b: Moment) => a.phase === b.phase && a.count === b.count;

/** Schedule beats a little ahead on the audio clock, so that a busy page cannot make them late. */
function drumFrom(speaker: AudioContext, bpm: number, mode: Mode) {
  let origin: number | null = null;
  let until = 0;
  const look = () => {
    if (speaker.state !== "running") return;
    origin ??= speaker.currentTime + 0.1;
    const horizon = speaker.currentTime + AHEAD_S - origin;
    for (const at of beatsBetween(until, horizon, bpm, mode)) tone(origin + at, 880, 0.06, 0.8);
    until = Math.max(until, horizon);
  };
  look();
  const timer = window.setInterval(look, LOOK_MS);
  return {
    elapsed: () =>
      origin === null || speaker.state !== "running" ? undefined : speaker.currentTime - origin,
    stop: () => window.clearInterval(timer),
  };
}

/** A bell when it is time to swap. */
function useBell(elapsed: number, loud: boolean): void {
  useEffect(() => {
    const speaker = audio();
    if (elapsed === 0 || untilRelief(elapsed) !== 120) return;
    navigator.vibrate?.([300, 100, 300]);
    if (!loud || speaker?.state !== "running") return;
    for (const i of [0, 1, 2]) tone(speaker.currentTime + i * 0.2, 1568, 0.16);
  }, [elapsed, loud]);
}
