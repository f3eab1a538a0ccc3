import { useWords } from "@shared/language.ts";
import { Button, Chip } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { Disaster } from "@shared/shapes.ts";
import { useList } from "./asking.ts";
import { Blank, Filter, ListPane, Row, Rows } from "./list_pane.tsx";
import { useMayChange } from "./rights.ts";
import { dayMinute } from "./when.ts";
import { go, useWhere } from "./where.ts";

/** Disasters: many incidents under one command; open ones unless all are asked for. */
export function DisasterList() {
  const words = useWords();
  const own = words.incidentLife.disaster;
  const route = useWhere();
  const mayChange = useMayChange("disasters");
  const listed = useList<Disaster>("/disasters", { open: route?.filters.which !== "all" });
  return (
    <ListPane title={own.title}>
      <header>
        <h2>{own.title}</h2>
        <span class="n" />
        {mayChange ? (
          <Button look="primary" keycap="N" data-new="" onClick={() => go({ item: "new" })}>
            {words.registry.add}
          </Button>
        ) : null}
      </header>
      <div class="reg-filters">
        <Filter name="which" label={own.onlyOpen} options={[{ value: "all", text: own.all }]} />
      </div>
      <Rows
        listed={listed}
        label={own.title}
        nothing={<Blank title={own.noneOpen} line={own.noneOpenMore} />}
        row={(disaster) => (
          <Row
            key={disaster.id}
            id={disaster.id}
            lead={<Icon name="list" size={20} />}
            title={disaster.name}
            right={dayMinute(disaster.opened_at)}
            line={words.domain.kind[disaster.kind]}
            chips={
              <>
                {disaster.exercise ? <Chip look="drill">{own.exercise}</Chip> : null}
                <Chip>{disaster.closed_at ? own.ended(dayMinute(disaster.closed_at)) : own.onlyOpen}</Chip>
              </>
            }
            isCurrent={route?.item === disaster.id}
            onOpen={() => go({ item: disaster.id })}
          />
        )}
      />
    </ListPane>
  );
}
