import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import { useEffect, useRef, useState } from "preact/hooks";
import { Sheet } from "./sheet.tsx";

const HOLD_MS = 2000;

/** Help by a long press, so that a pocket cannot call it. A keyboard opens it with Enter. */
export function HelpButton({
  phone,
  onUnable,
}: {
  phone: string | null;
  onUnable: (reason: string) => void;
}) {
  const words = useWords().go.mission;
  const [open, setOpen] = useState(false);
  const [holding, setHolding] = useState(false);
  const timer = useRef(0);
  const letGo = () => {
    window.clearTimeout(timer.current);
    setHolding(false);
  };
  const hold = () => {
    setHolding(true);
    timer.current = window.setTimeout(() => {
      setHolding(false);
      setOpen(true);
      navigator.vibrate?.(200);
    }, HOLD_MS);
  };
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return (
    <>
      <button
        type="button"
        class={`float help ${holding ? "holding" : ""}`}
        title={words.helpHint}
        onPointerDown={hold}
        onPointerUp={letGo}
        onPointerLeave={letGo}
        onPointerCancel={letGo}
        onContextMenu={(event) => event.preventDefault()}
        onKeyDown={(event) => event.key === "Enter" && setOpen(true)}
      >
        <Icon name="warn" size={20} />
        {words.help}
      </button>
      {open ? (
        <Sheet title={words.helpTitle} onClose={() => setOpen(false)}>
          <p>{words.helpText}</p>
          {phone ? (
            <a class="phone-button primary" href={`tel:${phone}`}>
              <Icon name="phone" size={22} />
              {words.helpCall}
            </a>
          ) : null}
          <p class="sheet-label">{words.unable}</p>
          {(["danger", "cannot_find", "no_access"] as const).map((reason) => (
            <button key={reason} type="button" class="phone-button" onClick={() => onUnable(reason)}>
              {words.unableReason[reason]}
            </button>
          ))}
        </Sheet>
      ) : null}
    </>
  );
}
