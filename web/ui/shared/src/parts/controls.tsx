import type { ButtonHTMLAttributes, ComponentChildren, TargetedKeyboardEvent } from "preact";
import { Icon, type IconName } from "./icon.tsx";

/** A keycap; show it only where the key works now. */
export function Keycap({ children }: { children: ComponentChildren }) {
  return (
    <span class="gm-key" aria-hidden="true">
      {children}
    </span>
  );
}

interface ButtonProps extends Omit<ButtonHTMLAttributes, "size" | "icon" | "type" | "disabled"> {
  look?: "default" | "primary" | "ghost";
  size?: "normal" | "small";
  keycap?: string;
  icon?: IconName;
  disabled?: boolean;
  type?: "button" | "submit";
}

/** A button; ink is the one primary of its panel. */
export function Button(props: ButtonProps) {
  const { look = "default", size = "normal", keycap, icon, children, class: extra, ...rest } = props;
  const names = [
    "gm-button",
    look === "default" ? "" : look,
    size === "small" ? "small" : "",
    String(extra ?? ""),
  ];
  return (
    <button
      type="button"
      {...rest}
      class={names.filter(Boolean).join(" ")}
      aria-keyshortcuts={keycap && keycap.length <= 3 ? keycap : undefined}
    >
      {icon ? <Icon name={icon} /> : null}
      {children}
      {keycap ? <Keycap>{keycap}</Keycap> : null}
    </button>
  );
}

interface ChipProps {
  look?: "plain" | "warn" | "drill" | "aed" | "outlined";
  icon?: IconName;
  title?: string;
  children: ComponentChildren;
}

export function Chip({ look = "plain", icon, title, children }: ChipProps) {
  const mark = icon ?? (look === "warn" ? "warn" : undefined);
  return (
    <span class={`gm-chip ${look}`} title={title}>
      {mark ? <Icon name={mark} size={13} /> : null}
      {children}
    </span>
  );
}

export type Freshness = "fresh" | "recent" | "stale";

/** How old a position may be: a minute is fresh, five minutes recent, later stale. */
export function freshness(ageS: number | null): Freshness {
  if (ageS === null) return "stale";
  if (ageS <= 60) return "fresh";
  return ageS <= 300 ? "recent" : "stale";
}

/** Surname in Chinese, two initials otherwise. */
export function initials(name: string): string {
  const first = name.trim().charAt(0);
  if (/\p{Script=Han}/u.test(first)) return first;
  const parts = name.trim().split(/\s+/);
  const last = parts.length > 1 ? (parts.at(-1) ?? "") : (parts[0] ?? "").slice(1);
  return (first + last.charAt(0)).toUpperCase();
}

export function Avatar({ name, state = "fresh" }: { name: string; state?: Freshness }) {
  const text = initials(name);
  return (
    <span class={`gm-avatar ${state} ${text.length > 1 ? "two" : ""}`} aria-hidden="true">
      {text}
    </span>
  );
}

const ARROWS: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

interface SegmentsProps<V extends string | number> {
  label: string;
  value: V | null;
  options: { value: V; text: ComponentChildren; warn?: boolean; name?: string }[];
  onChange: (value: V) => void;
  /** Arrow keys choose at once; only where choosing changes nothing yet. */
  follow?: boolean;
}

/** One of a few values, side by side; arrow keys move, as in a radio group. */
export function Segments<V extends string | number>(props: SegmentsProps<V>) {
  const { label, value, options, onChange, follow } = props;
  const move = (event: TargetedKeyboardEvent<HTMLDivElement>) => {
    const step = ARROWS[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const buttons = [...event.currentTarget.querySelectorAll("button")];
    const from = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const next = buttons[(from + step + buttons.length) % buttons.length];
    next?.focus();
    if (follow) next?.click();
  };
  return (
    <div class="gm-segments" role="radiogroup" aria-label={label} onKeyDown={move}>
      {options.map((option, index) => (
        // biome-ignore lint/a11y/useSemanticElements: a segment is a button that looks pressed, with radio meaning
        <button
          key={option.value}
          type="button"
          role="radio"
          class={option.warn ? "warn" : undefined}
          aria-checked={option.value === value}
          aria-label={option.name}
          tabIndex={option.value === value || (value === null && index === 0) ? 0 : -1}
          onClick={() => onChange(option.value)}
        >
          {option.text}
        </button>
      ))}
    </div>
  );
}
