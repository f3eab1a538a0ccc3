import { useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import type { ComponentChildren } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { enterSide } from "./list_pane.tsx";
import { go, useWhere } from "./where.ts";

interface SideProps {
  label: string;
  /** Shown when there is no head of another kind. */
  title?: string;
  head?: ComponentChildren;
  children: ComponentChildren;
  /** What went wrong: between what scrolls and the actions, so that it covers nothing. */
  notice?: ComponentChildren;
  /** The action bar below. */
  actions?: ComponentChildren;
  onSubmit?: () => void;
  /** Something new: whoever opened it wants to type. */
  isNew?: boolean;
  /** Only to be read: the keyboard scrolls it. */
  isText?: boolean;
}

/** The right column: a head, what scrolls, and an action bar; a form when it can be saved. */
export function Side(props: SideProps) {
  const { label, title, head, children, notice, actions, onSubmit, isNew, isText } = props;
  const words = useWords().registry;
  const item = useWhere()?.item;
  useLayoutEffect(() => {
    if (isNew) enterSide();
  }, []);
  const inside = (
    <>
      {item ? (
        <div class="reg-back">
          <Button size="small" look="ghost" icon="back" onClick={() => go({ item: null })}>
            {words.back}
          </Button>
        </div>
      ) : null}
      {head ?? (title ? <h1 class="reg-title">{title}</h1> : null)}
      <div class="side-scroll" tabIndex={isText ? 0 : undefined}>
        {children}
      </div>
      {notice ? <div class="reg-said">{notice}</div> : null}
      {actions ? <div class="actions">{actions}</div> : null}
    </>
  );
  return (
    <aside class="side reg-side" aria-label={label}>
      {onSubmit ? (
        <form
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            onSubmit();
          }}
          // Enter in a field must not save half an answer; Ctrl+Enter and the button do.
          onKeyDown={(event) =>
            event.key === "Enter" &&
            !event.ctrlKey &&
            event.target instanceof HTMLInputElement &&
            event.preventDefault()
          }
        >
          {inside}
        </form>
      ) : (
        inside
      )}
    </aside>
  );
}

interface SaveProps {
  isDirty: boolean;
  isBusy: boolean;
  label?: string;
  onDiscard: () => void;
}

/** Save and, while something was typed, discard. */
export function SaveButtons({ isDirty, isBusy, label, onDiscard }: SaveProps) {
  const words = useWords().registry;
  return (
    <>
      <Button look="primary" type="submit" keycap="Ctrl+⏎" data-save="">
        {isBusy ? words.saving : (label ?? words.save)}
      </Button>
      {isDirty ? <Button onClick={onDiscard}>{words.discard}</Button> : null}
    </>
  );
}
