import { isComposing } from "@shared/keys.ts";
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";

interface PickerProps<T> {
  label: string;
  placeholder: string;
  text: string;
  onText: (text: string) => void;
  options: readonly T[];
  keyOf: (option: T) => string;
  show: (option: T) => ComponentChildren;
  onPick: (option: T) => void;
  /** Enter before there are options: the caller picks when they arrive. */
  onEarlyEnter?: () => void;
  open: boolean;
  bad?: boolean;
  focused?: boolean;
  name: string;
  foot?: ComponentChildren;
}

/** A field with a list below it: type, arrows, Enter takes the first. Chinese input stays undisturbed. */
export function Picker<T>(props: PickerProps<T>) {
  const { options, open } = props;
  const [at, setAt] = useState(0);
  const list = useId();
  const field = useRef<HTMLInputElement>(null);
  // Whoever opens the form wants to type, and the next key may come before the next frame.
  useLayoutEffect(() => {
    if (props.focused) field.current?.focus();
  }, []);
  const active = Math.min(at, options.length - 1);
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event) || event.ctrlKey || event.metaKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && open) {
      setAt(Math.max(0, Math.min(options.length - 1, active + step)));
      event.preventDefault();
    }
    if (event.key !== "Enter") return;
    event.preventDefault();
    const chosen = options[active];
    if (open && chosen !== undefined) props.onPick(chosen);
    else props.onEarlyEnter?.();
  };
  return (
    <div>
      <label for={`${list}-field`}>{props.label}</label>
      <div class={`gm-field ${props.bad ? "bad" : ""}`}>
        <input
          id={`${list}-field`}
          name={props.name}
          role="combobox"
          aria-expanded={open && options.length > 0}
          aria-controls={list}
          aria-autocomplete="list"
          aria-activedescendant={open && options.length > 0 ? `${list}-${active}` : undefined}
          autoComplete="off"
          spellcheck={false}
          ref={field}
          placeholder={props.placeholder}
          value={props.text}
          onInput={(event) => {
            setAt(0);
            props.onText(event.currentTarget.value);
          }}
          onKeyDown={onKeyDown}
        />
        {props.foot}
      </div>
      <div
        class={open && options.length > 0 ? "options" : ""}
        id={list}
        role="listbox"
        aria-label={props.label}
      >
        {open
          ? options.map((option, index) => (
              <div
                key={props.keyOf(option)}
                id={`${list}-${index}`}
                role="option"
                tabIndex={-1}
                aria-selected={index === active}
                // The field keeps the focus; a press would take it away before the click counts.
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => props.onPick(option)}
                onKeyDown={() => undefined}
              >
                {props.show(option)}
              </div>
            ))
          : null}
      </div>
    </div>
  );
}
