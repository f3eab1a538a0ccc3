import { useWords } from "@shared/language.ts";
import { Button, Chip } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { UploadSummary } from "@shared/shapes.ts";
import { useList } from "./asking.ts";
import { Blank, ListPane, Row, Rows } from "./list_pane.tsx";
import { dayMinute } from "./when.ts";
import { go, useWhere } from "./where.ts";

/** Lists that were sent in, the newest first. */
export function ImportList() {
  const words = useWords().registry;
  const item = useWhere()?.item;
  const listed = useList<UploadSummary>("/imports", {});
  return (
    <ListPane title={words.list.recent}>
      <header>
        <h2>{words.list.recent}</h2>
        <span class="n" />
        <Button look="primary" keycap="N" data-new="" onClick={() => go({ item: null })}>
          {words.add}
        </Button>
      </header>
      <Rows
        listed={listed}
        label={words.list.recent}
        nothing={<Blank title={words.list.noRecent} />}
        row={(upload) => (
          <Row
            key={upload.id}
            id={upload.id}
            lead={<Icon name="list" size={20} />}
            title={upload.name}
            right={dayMinute(upload.created_at)}
            line={words.list.kinds[upload.kind]}
            chips={<Chip>{upload.applied_at ? done(upload, words.list) : words.list.notApplied}</Chip>}
            isCurrent={item === upload.id}
            onOpen={() => go({ item: upload.id })}
          />
        )}
      />
    </ListPane>
  );
}

type ListWords = ReturnType<typeof useWords>["registry"]["list"];

const done = ({ report }: UploadSummary, words: ListWords): string =>
  report ? words.done(report.added, report.changed) : words.applied;
