// Sound, vibration, wake lock: everything that makes a phone be noticed. All tones are made here, no files.

import { createStore } from "@shared/store.ts";

type Sound = "blocked" | "ready" | "missing";
export const sound = createStore<Sound>("blocked");

let context: AudioContext | null = null;

/** The one audio context; browsers let it speak only after a tap. */
export function audio(): AudioContext | null {
  if (!context && "AudioContext" in window) {
    context = new AudioContext();
    context.addEventListener("statechange", learnSound);
  }
  learnSound();
  return context;
}

function learnSound(): void {
  sound.set(!("AudioContext" in window) ? "missing" : context?.state === "running" ? "ready" : "blocked");
}

/** Let the sound speak from now on; call from a tap. */
export function unlockSound(): void {
  void audio()?.resume().then(learnSound, learnSound);
}

/** Any first tap unlocks the sound. */
export function unlockOnFirstTap(): void {
  window.addEventListener("pointerdown", unlockSound, { once: true, capture: true });
}

/** One tone at a time of the audio clock. */
export function tone(at: number, hertz: number, seconds: number, loud = 0.6): void {
  const speaker = audio();
  if (!speaker) return;
  const oscillator = new OscillatorNode(speaker, { frequency: hertz, type: "triangle" });
  const gain = new GainNode(speaker, { gain: 0 });
  oscillator.connect(gain).connect(speaker.destination);
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(loud, at + 0.008);
  gain.gain.setValueAtTime(loud, at + seconds - 0.02);
  gain.gain.linearRampToValueAtTime(0, at + seconds);
  oscillator.start(at);
  oscillator.stop(at + seconds + 0.02);
}

const ROUND_MS = 2200;
const SHAKE = [420, 160, 420, 160, 420];
const CALL = [784, 988, 1319];

function callOnce(): void {
  const speaker = audio();
  if (speaker?.state === "running") {
    for (const [i, hertz] of [...CALL, ...CALL].entries())
      tone(speaker.currentTime + 0.05 + i * 0.24, hertz, 0.2);
  }
  navigator.vibrate?.(SHAKE);
}

/** Ring and shake until the returned function is called. */
export function ring(): () => void {
  callOnce();
  const timer = window.setInterval(callOnce, ROUND_MS);
  return () => {
    window.clearInterval(timer);
    navigator.vibrate?.(0);
  };
}

/** The call once, to hear whether it can be heard. */
export function tryCall(): void {
  unlockSound();
  callOnce();
}

/** One low tone and one long shake: stop. */
export function stopSignal(): void {
  const speaker = audio();
  if (speaker?.state === "running") tone(speaker.currentTime + 0.02, 330, 0.9);
  navigator.vibrate?.([900]);
}

/** Two quiet tones: nothing to do. */
export function softSignal(): void {
  const speaker = audio();
  if (speaker?.state === "running")
    for (const [i, hertz] of [659, 523].entries())
      tone(speaker.currentTime + 0.02 + i * 0.3, hertz, 0.28, 0.3);
  navigator.vibrate?.([120, 140, 120]);
}

/** Two bright tones and three shakes: look, the task is another one. */
export function changeSignal(): void {
  const speaker = audio();
  if (speaker?.state === "running")
    for (const [i, hertz] of [880, 1175].entries()) tone(speaker.currentTime + 0.02 + i * 0.22, hertz, 0.2);
  navigator.vibrate?.([300, 120, 300, 120, 300]);
}

/** Keep the screen on until the returned function is called; the browser drops the lock when hidden. */
export function keepAwake(failed: () => void = () => undefined): () => void {
  let lock: WakeLockSentinel | null = null;
  let over = false;
  const take = async () => {
    if (over || document.visibilityState !== "visible") return;
    try {
      lock = await navigator.wakeLock.request("screen");
      if (over) void lock.release();
    } catch {
      failed();
    }
  };
  if (!("wakeLock" in navigator)) failed();
  else void take();
  document.addEventListener("visibilitychange", take);
  return () => {
    over = true;
    document.removeEventListener("visibilitychange", take);
    void lock?.release();
  };
}
