import { call, post } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import type { OwnAed, PhotoKind } from "@shared/shapes.ts";
import { touch } from "./asking.ts";
import { useSubmit } from "./drafts.ts";
import { Trouble } from "./form_parts.tsx";

const KINDS: readonly PhotoKind[] = ["surroundings", "cabinet"];

/** Photos of the surroundings and of the cabinet: look, add, delete. */
export function Photos({ aed }: { aed: OwnAed }) {
  const words = useWords().registry.aed;
  const { isBusy, problem, run } = useSubmit();
  const add = (kind: PhotoKind, file: File) =>
    run(
      async (key) => {
        await post(`/aeds/${aed.id}/photos`, file, { key, query: { kind } });
        touch();
      },
      [kind, file.name, file.size, file.lastModified],
    );
  const remove = (id: string) =>
    run(async () => {
      await call("DELETE", `/aeds/${aed.id}/photos/${id}`);
      touch();
    });
  return (
    <fieldset class="reg-group">
      <legend>{words.photos}</legend>
      <div class="reg-photos">
        {(aed.photos ?? []).map((photo) => (
          <figure key={photo.id}>
            <a href={`/api/v1/aeds/${aed.id}/photos/${photo.id}`} target="_blank" rel="noreferrer">
              <img
                src={`/api/v1/aeds/${aed.id}/photos/${photo.id}`}
                alt={words.photoOf(words.photoKinds[photo.kind])}
                width={photo.width}
                height={photo.height}
                loading="lazy"
              />
            </a>
            <figcaption>
              {words.photoKinds[photo.kind]}
              <Button
                size="small"
                look="ghost"
                icon="close"
                aria-label={words.photoRemove}
                title={words.photoRemove}
                disabled={isBusy}
                onClick={() => void remove(photo.id)}
              />
            </figcaption>
          </figure>
        ))}
      </div>
      <div class="reg-line">
        {KINDS.map((kind) => (
          <FileButton
            key={kind}
            label={words.photoAdd(words.photoKinds[kind])}
            accept="image/jpeg,image/png,image/webp"
            onFile={(file) => void add(kind, file)}
          />
        ))}
      </div>
      <p class="reg-hint">{words.photoNote}</p>
      <Trouble problem={problem} />
    </fieldset>
  );
}

interface FileProps {
  label: string;
  accept: string;
  onFile: (file: File) => void;
}

/** A file field that looks like a button; the field itself keeps the focus and the name. */
export function FileButton({ label, accept, onFile }: FileProps) {
  return (
    <label class="gm-button reg-file">
      {label}
      <input
        type="file"
        class="sr-only"
        accept={accept}
        onChange={(event) => {
          const field = event.currentTarget;
          const [file] = field.files ?? [];
          if (file) onFile(file);
          field.value = "";
        }}
      />
    </label>
  );
}
