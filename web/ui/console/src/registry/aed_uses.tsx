import { post } from "@shared/api.ts";
import { useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import type { AedUse, Page } from "@shared/shapes.ts";
import { useState } from "preact/hooks";
import { say } from "../toast.ts";
import { AedHead, type TabProps, useAedScene } from "./aed_head.tsx";
import { touch, useAsked } from "./asking.ts";
import { useSubmit } from "./drafts.ts";
import { Trouble } from "./form_parts.tsx";
import { Bars } from "./list_pane.tsx";
import { Side } from "./side.tsx";
import { dayMinute } from "./when.ts";

/** When it was taken and returned; an open use is ended here. */
export function AedUses({ asked }: TabProps) {
  useAedScene(asked);
  const aed = asked.value;
  const words = useWords().registry;
  const known = useAsked<Page<AedUse>>(`/aeds/${aed.id}/uses`);
  const { isBusy, problem, run } = useSubmit();
  const [note, setNote] = useState("");
  const uses = known.value?.items ?? [];
  const out = uses.find(({ returned_at }) => returned_at === null);
  const record = (path: string, body: object, done: string) =>
    run(
      async (key) => {
        await post(`/aeds/${aed.id}/uses${path}`, note ? { ...body, note } : body, { key });
        setNote("");
        say(done);
        touch();
      },
      [path, body, note],
    );
  const giveBack = (padsUsed: boolean) =>
    record(`/${out?.id}/return`, { pads_used: padsUsed }, words.aed.giveBackSaved);
  return (
    <Side label={aed.name} head={<AedHead aed={aed} tab="uses" />}>
      <fieldset class="reg-group">
        <legend>{out ? words.aed.giveBack : words.aed.tabs.uses}</legend>
        <div class="gm-field">
          <input
            aria-label={words.note}
            placeholder={words.note}
            value={note}
            onInput={(event) => setNote(event.currentTarget.value)}
          />
        </div>
        <div class="reg-line">
          {out ? (
            <>
              <Button look="primary" disabled={isBusy} onClick={() => void giveBack(false)}>
                {words.aed.padsKept}
              </Button>
              <Button disabled={isBusy} onClick={() => void giveBack(true)}>
                {words.aed.padsUsed}
              </Button>
            </>
          ) : (
            <Button disabled={isBusy} onClick={() => void record("", {}, words.aed.takeSaved)}>
              {words.aed.take}
            </Button>
          )}
        </div>
        <Trouble problem={problem} />
      </fieldset>
      {known.value ? null : <Bars />}
      {known.value && uses.length === 0 ? <p class="reg-note">{words.aed.noUses}</p> : null}
      <ol class="reg-log">
        {uses.map((use) => (
          <Use key={use.id} use={use} />
        ))}
      </ol>
    </Side>
  );
}

function Use({ use }: { use: AedUse }) {
  const words = useWords().registry.aed;
  const pads = use.pads_used === null ? [] : [use.pads_used ? words.padsUsed : words.padsKept];
  const back = use.returned_at ? words.returned(dayMinute(use.returned_at)) : words.notReturned;
  return (
    <li>
      <time>{dayMinute(use.taken_at)}</time>
      <div>
        <p>
          <b>{use.by?.name ?? words.system}</b>
          {use.incident ? ` · ${words.forIncident}` : ""}
        </p>
        <p>{[back, ...pads].join(" · ")}</p>
        {use.note ? <p>{use.note}</p> : null}
      </div>
    </li>
  );
}
