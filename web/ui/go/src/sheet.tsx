import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useExercise } from "./exercise.tsx";

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** A sheet from below with a few choices; Escape and the close button leave it. */
export function Sheet({ title, onClose, children }: Props) {
  const words = useWords().parts;
  const exercise = useExercise();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog
      class={`bottom-sheet ${exercise ? "exercise" : ""}`}
      ref={dialog}
      aria-label={title}
      onClose={onClose}
    >
      <header>
        <h2>
          {exercise ? <span class="drill-line">{words.exercise}</span> : null}
          {title}
        </h2>
        <button type="button" aria-label={words.close} onClick={() => dialog.current?.close()}>
          <Icon name="close" size={22} />
        </button>
      </header>
      {children}
    </dialog>
  );
}
