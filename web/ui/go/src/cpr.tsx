import { minutesSeconds, running, timeOfDay } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import { useEffect, useState } from "preact/hooks";
import { keepAwake } from "./alarm.ts";
import { type Mode, PRESSES, untilRelief } from "./beats.ts";
import { useFit } from "./fit.ts";
import { useMetronome } from "./metronome.ts";
import { useTorch } from "./torch.ts";

const RATES = [100, 105, 110, 115, 120];

/** The rhythm of compressions, always dark; needs neither network nor sign-in. */
export function CprScreen({ onClose }: { onClose: () => void }) {
  const words = useWords().go.cpr;
  const [bpm, setBpm] = useState(110);
  const [mode, setMode] = useState<Mode>("thirty_two");
  const [loud, setLoud] = useState(true);
  const [dims, setDims] = useState(false);
  const fit = useFit(2);
  const { elapsed, moment } = useMetronome(bpm, mode, loud);
  useEffect(() => keepAwake(() => setDims(true)), []);
  const faster = (by: number) => setBpm(RATES[Math.min(4, Math.max(0, RATES.indexOf(bpm) + by))] ?? 110);
  return (
    <main class={`cpr tight-${fit.level}`} ref={fit.ref} aria-label={words.title} data-testid="cpr">
      <header class="cpr-head">
        <div>
          <p>{words.elapsed}</p>
          <b>{running(elapsed)}</b>
        </div>
        <button type="button" class="cpr-close" onClick={onClose}>
          {words.end}
        </button>
        <div>
          <p>{words.relief}</p>
          <b class={untilRelief(elapsed) <= 10 ? "now" : ""}>{minutesSeconds(untilRelief(elapsed))}</b>
        </div>
      </header>
      <Face moment={moment} bpm={bpm} onFaster={faster} />
      <Dots count={moment.phase === "press" ? moment.count : PRESSES} />
      <p class="cpr-say">{moment.phase === "press" ? words.press : words.breath}</p>
      <CprModes mode={mode} onMode={setMode} loud={loud} onLoud={setLoud} />
      {dims ? <p class="cpr-dims">{words.awake}</p> : null}
      <CprButtons />
    </main>
  );
}

interface FaceProps {
  moment: { phase: string; count: number };
  bpm: number;
  onFaster: (by: number) => void;
}

function Face({ moment, bpm, onFaster }: FaceProps) {
  const words = useWords().go.cpr;
  return (
    <div class="cpr-face">
      {/* A new key starts the pulse again with every beat. */}
      <i class={`cpr-ring ${moment.phase}`} key={`${moment.phase}${moment.count}`} />
      <b data-testid="beat">{moment.count}</b>
      <span class="cpr-rate">{words.rate(bpm)}</span>
      <button type="button" class="slower" aria-label={words.slower} onClick={() => onFaster(-1)}>
        <Icon name="minus" size={18} />
      </button>
      <button type="button" class="faster" aria-label={words.faster} onClick={() => onFaster(1)}>
        <Icon name="plus" size={18} />
      </button>
    </div>
  );
}

function Dots({ count }: { count: number }) {
  return (
    <div class="cpr-dots" aria-hidden="true">
      {Array.from({ length: PRESSES }, (_, i) => (
        <i key={`dot ${i + 1}`} class={i < count ? "on" : ""} />
      ))}
    </div>
  );
}

interface ModesProps {
  mode: Mode;
  onMode: (mode: Mode) => void;
  loud: boolean;
  onLoud: (loud: boolean) => void;
}

function CprModes({ mode, onMode, loud, onLoud }: ModesProps) {
  const words = useWords().go.cpr;
  const torch = useTorch();
  const choices: [Mode, string][] = [
    ["thirty_two", words.thirtyTwo],
    ["continuous", words.continuous],
  ];
  return (
    <div class="cpr-modes">
      {choices.map(([value, text]) => (
        <button key={value} type="button" aria-pressed={mode === value} onClick={() => onMode(value)}>
          {text}
        </button>
      ))}
      <button type="button" aria-pressed={loud} aria-label={words.sound} onClick={() => onLoud(!loud)}>
        <Icon name={loud ? "sound" : "muted"} size={20} />
      </button>
      {torch ? (
        <button type="button" aria-pressed={torch.on} aria-label={words.torch} onClick={torch.toggle}>
          <svg width="20" height="20" viewBox="0 0 24 24" class="cpr-torch" aria-hidden="true">
            <path d="M8 3h8v3l-2.2 4v9.5a1 1 0 0 1-1 1h-1.6a1 1 0 0 1-1-1V10L8 6ZM8 6h8M12 13v2" />
          </svg>
        </button>
      ) : null}
    </div>
  );
}

const STAMPS = "golden.go.cpr";
const readStamps = (): Record<string, number> => JSON.parse(sessionStorage.getItem(STAMPS) ?? "{}");

/** Times of this effort, on this phone only: who hands over can read them out. */
function CprButtons() {
  const words = useWords().go.cpr;
  const [stamps, setStamps] = useState(readStamps);
  const stamp = (what: string) => {
    const next = { ...stamps, [what]: Date.now() };
    setStamps(next);
    sessionStorage.setItem(STAMPS, JSON.stringify(next));
  };
  const text = (what: string, word: string) => {
    const at = stamps[what];
    return at ? words.stamped(word, timeOfDay(at)) : word;
  };
  return (
    <div class="cpr-end">
      <button type="button" class="cpr-aed" onClick={() => stamp("aed")}>
        <Icon name="aed" size={24} />
        {text("aed", words.aedHere)}
      </button>
      <button type="button" onClick={() => stamp("shock")}>
        {text("shock", words.shocked)}
      </button>
      <a class="cpr-call" href="tel:120">
        <Icon name="phone" size={20} />
        {words.call120}
      </a>
    </div>
  );
}
