// The rhythm of compressions as arithmetic on elapsed seconds: nothing here can drift.

export type Mode = "thirty_two" | "continuous";

export interface Moment {
  phase: "press" | "breath";
  /** 1 to 30 while pressing, 1 or 2 while giving breaths. */
  count: number;
}

export const PRESSES = 30;
/** Two breaths of one second each with a second to let the chest fall: well under the ten allowed. */
const BREATHS_S = 5;
/** Whoever presses is relieved every two minutes. */
const RELIEF_S = 120;

const cycleSeconds = (bpm: number, mode: Mode): number =>
  (PRESSES * 60) / bpm + (mode === "thirty_two" ? BREATHS_S : 0);

/** What the rescuer does at this moment. */
export function momentAt(elapsedS: number, bpm: number, mode: Mode): Moment {
  const within = elapsedS % cycleSeconds(bpm, mode);
  // A hair more, so that the beat itself already counts in spite of rounding.
  const press = Math.floor((within * bpm) / 60 + 1e-6);
  if (press < PRESSES) return { phase: "press", count: press + 1 };
  const breathing = within - (PRESSES * 60) / bpm;
  return { phase: "breath", count: breathing < BREATHS_S / 2 ? 1 : 2 };
}

/** Elapsed seconds of every beat in [fromS, untilS); each is computed from zero, not from the one before. */
export function beatsBetween(fromS: number, untilS: number, bpm: number, mode: Mode): number[] {
  const cycle = cycleSeconds(bpm, mode);
  const beats: number[] = [];
  for (let c = Math.max(0, Math.floor(fromS / cycle)); c * cycle < untilS; c += 1) {
    for (let i = 0; i < PRESSES; i += 1) {
      const at = c * cycle + (i * 60) / bpm;
      if (at >= fromS && at < untilS) beats.push(at);
    }
  }
  return beats;
}

export const untilRelief = (elapsedS: number): number => RELIEF_S - (elapsedS % RELIEF_S);
