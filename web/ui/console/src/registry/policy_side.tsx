import { useWords } from "@shared/language.ts";
import type { PolicyPage } from "@shared/shapes.ts";
import { Bars, Blank } from "./list_pane.tsx";
import { PolicyDraft } from "./policy_draft.tsx";
import { usePolicies } from "./policy_list.tsx";
import { ShippedView, VersionView } from "./policy_view.tsx";
import { useScene } from "./scene.ts";
import { Side } from "./side.tsx";
import { useWhere } from "./where.ts";

/** The right column: a shipped policy, a draft of one, or a version of the office. */
export function PolicySide() {
  const words = useWords().registry;
  const item = useWhere()?.item ?? null;
  const { value, failed } = usePolicies();
  useScene(() => ({ marks: {} }), []);
  if (item === null) {
    return (
      <Side label={words.nothingChosen}>
        <Blank title={words.nothingChosen} line={words.nothingChosenMore} />
      </Side>
    );
  }
  if (value === null) {
    return <Side label={words.pages.policies}>{failed ? <Blank title={words.failed} /> : <Bars />}</Side>;
  }
  return <Chosen key={item} item={item} page={value} />;
}

function Chosen({ item, page }: { item: string; page: PolicyPage }) {
  const words = useWords().registry;
  const [kind, name] = item.split(":");
  const shipped = page.shipped.find((policy) => policy.name === name);
  if (shipped && kind === "shipped") {
    return <ShippedView policy={shipped} isDefault={shipped === page.shipped[0]} />;
  }
  if (shipped && kind === "draft") return <PolicyDraft base={shipped} />;
  const version = page.items.find(({ id }) => id === item);
  if (version) return <VersionView version={version} shipped={page.shipped} />;
  return (
    <Side label={words.none}>
      <Blank title={words.none} />
    </Side>
  );
}
