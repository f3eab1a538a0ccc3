import { useWords } from "@shared/language.ts";
import { Chip } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import type { PolicyPage, PolicyVersion, ShippedPolicy } from "@shared/shapes.ts";
import { type Words, wordFor } from "@shared/words/zh.ts";
import { useAsked } from "./asking.ts";
import { Bars, Blank, ListPane, Row } from "./list_pane.tsx";
import { differences } from "./policy_fields.ts";
import { dayMinute } from "./when.ts";
import { go, useWhere } from "./where.ts";

export const usePolicies = () => useAsked<PolicyPage>("/policies");

/** The versions of the office, then what every installation has. */
export function PolicyList() {
  const words = useWords();
  const own = words.office.policy;
  const { value, failed } = usePolicies();
  return (
    <ListPane title={own.list}>
      <header>
        <h2>{own.list}</h2>
      </header>
      {value === null ? failed ? <Blank title={words.registry.failed} /> : <Bars /> : null}
      {value ? <Lists page={value} words={words} /> : null}
    </ListPane>
  );
}

function Lists({ page, words }: { page: PolicyPage; words: Words }) {
  const own = words.office.policy;
  return (
    <div class="queue-list">
      <section aria-label={own.versions}>
        <h3>
          {own.versions} · {page.items.length}
        </h3>
        {page.items.length === 0 ? <p class="reg-hint padded">{own.noVersionsMore}</p> : null}
        {page.items.map((version) => (
          <VersionRow key={version.id} version={version} shipped={page.shipped} words={words} />
        ))}
      </section>
      <section aria-label={own.shipped}>
        <h3>
          {own.shipped} · {page.shipped.length}
        </h3>
        {page.shipped.map((policy, index) => (
          <ShippedRow key={policy.name} policy={policy} isDefault={index === 0} words={words} />
        ))}
      </section>
    </div>
  );
}

interface VersionProps {
  version: PolicyVersion;
  shipped: ShippedPolicy[];
  words: Words;
}

function VersionRow({ version, shipped, words }: VersionProps) {
  const own = words.office.policy;
  const item = useWhere()?.item;
  const { fields } = differences(version.document, shipped);
  return (
    <Row
      id={version.id}
      lead={<Icon name="note" size={20} />}
      title={`${version.name} v${version.version}`}
      right={dayMinute(version.published_at ?? version.created_at)}
      line={version.note ?? wordFor(own.chooser, String(version.document.chooser))}
      chips={
        <>
          <Chip look={version.status === "published" ? "outlined" : "plain"}>
            {wordFor(own.status, version.status)}
          </Chip>
          <Chip>{own.changed(fields.length)}</Chip>
        </>
      }
      isCurrent={item === version.id}
      onOpen={() => go({ item: version.id })}
    />
  );
}

interface ShippedProps {
  policy: ShippedPolicy;
  isDefault: boolean;
  words: Words;
}

function ShippedRow({ policy, isDefault, words }: ShippedProps) {
  const own = words.office.policy;
  const route = useWhere();
  const id = `shipped:${policy.name}`;
  return (
    <Row
      id={id}
      lead={<Icon name="shield" size={20} />}
      title={wordFor(own.names, policy.name)}
      right=""
      line={wordFor(own.chooser, policy.chooser)}
      chips={isDefault ? <Chip>{own.default}</Chip> : undefined}
      isCurrent={route?.item === id}
      onOpen={() => go({ item: id })}
    />
  );
}
