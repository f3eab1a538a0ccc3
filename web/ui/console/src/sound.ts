import { createStore } from "@shared/store.ts";

/** Tones made in the browser, so that nothing has to be fetched when it matters. */

export interface SoundState {
  muted: boolean;
  /** The browser lets a page sound only after a gesture. */
  blocked: boolean;
  testedAt: number | null;
}

const KEY = "golden.console.muted";
export const sound = createStore<SoundState>({
  muted: localStorage.getItem(KEY) === "1",
  blocked: true,
  testedAt: null,
});

let context: AudioContext | null = null;

type Tone = readonly [hertz: number, startS: number, lengthS: number];
const TONES = {
  newIncident: [
    [523, 0, 0.16],
    [659, 0.18, 0.16],
    [784, 0.36, 0.24],
  ],
  critical: [
    [880, 0, 0.12],
    [660, 0.14, 0.12],
    [880, 0.28, 0.12],
    [660, 0.42, 0.12],
    [880, 0.56, 0.2],
  ],
  accepted: [
    [659, 0, 0.1],
    [880, 0.12, 0.16],
  ],
} satisfies Record<string, Tone[]>;

/** Ask the browser for sound; call from a click or a key press. */
export async function unlockSound(): Promise<void> {
  if (context?.state === "running") return;
  context ??= new AudioContext();
  await context.resume();
  sound.update((state) => ({ ...state, blocked: context?.state !== "running" }));
}

export function setMuted(muted: boolean): void {
  localStorage.setItem(KEY, muted ? "1" : "0");
  sound.update((state) => ({ ...state, muted }));
}

export async function testSound(): Promise<void> {
  await unlockSound();
  play("newIncident");
  sound.update((state) => ({ ...state, testedAt: Date.now() }));
}

/** Play a tone unless muted or blocked; every sound has a visible twin. */
export function play(name: keyof typeof TONES): void {
  if (context?.state !== "running" || sound.get().muted) return;
  const begin = context.currentTime + 0.02;
  for (const [hertz, start, length] of TONES[name]) {
    const [oscillator, gain] = [context.createOscillator(), context.createGain()];
    oscillator.frequency.value = hertz;
    gain.gain.setValueAtTime(0, begin + start);
    gain.gain.linearRampToValueAtTime(0.25, begin + start + 0.02);
    gain.gain.linearRampToValueAtTime(0, begin + start + length);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(begin + start);
    oscillator.stop(begin + start + length + 0.02);
  }
}
