/** PURE. Which command a key press means; safe with Chinese input methods and other keyboards. */

export interface KeyPress {
  key: string;
  code: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  isComposing: boolean;
  keyCode: number;
}

/** True while an input method is composing, also for the Enter that ends a composition. */
export const isComposing = (event: Pick<KeyPress, "isComposing" | "keyCode">): boolean =>
  event.isComposing || event.keyCode === 229;

const NAMED = new Set(["Enter", "Escape", "ArrowUp", "ArrowDown", "F2", "F8", "F9", " "]);

/** "N", "1", "/", "?", "Enter", "Ctrl+Enter" … or null when the press is no command. */
export function commandKey(event: KeyPress): string | null {
  if (isComposing(event)) return null;
  const withModifier = event.ctrlKey || event.metaKey;
  if (event.key === "Enter" && withModifier) return "Ctrl+Enter";
  if (withModifier || event.altKey) return null;
  if (NAMED.has(event.key)) return event.key;
  return punctuation(event) ?? letterOrDigit(event);
}

// A Chinese input method turns "/" into "、" and "?" into "？", and full width changes letters.
function punctuation({ key, code, shiftKey }: KeyPress): string | null {
  const plain = key.normalize("NFKC");
  if (plain === "?" || plain === "/") return plain;
  const latin = plain.length === 1 && plain >= "!" && plain <= "~";
  if (code !== "Slash" || latin) return null;
  return shiftKey ? "?" : "/";
}

function letterOrDigit({ key, code, shiftKey }: KeyPress): string | null {
  const plain = key.normalize("NFKC");
  if (/^[a-z0-9]$/i.test(plain)) return shiftKey && /[a-z]/i.test(plain) ? null : plain.toUpperCase();
  // A letter of another script: the place on the keyboard tells which key it is.
  if (!/^\p{L}$/u.test(plain)) return null;
  return /^Key([A-Z])$/.exec(code)?.[1] ?? null;
}

/** True when typing goes into this element, so that single keys are letters there. */
export function isTextField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (
    target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement
  ) {
    return true;
  }
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button"].includes(target.type);
}
