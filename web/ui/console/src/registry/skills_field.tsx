import { useWords } from "@shared/language.ts";
import { wordFor } from "@shared/words/zh.ts";
import type { Draft } from "./drafts.ts";
import { SKILLS } from "./person_words.ts";

const listOf = (text: string | undefined): string[] =>
  (text ?? "").split(",").flatMap((word) => word.trim() || []);

/** What somebody can do: the known skills to be ticked, and those they have besides. */
export function SkillsField({ draft, isReadOnly }: { draft: Draft; isReadOnly: boolean }) {
  const words = useWords().registry;
  const held = listOf(draft.texts.skills);
  const offered = [...new Set([...SKILLS, ...listOf(draft.saved.skills)])];
  const toggle = (skill: string) => {
    const next = held.includes(skill) ? held.filter((one) => one !== skill) : [...held, skill];
    draft.set("skills", next.join(", "));
  };
  return (
    <fieldset class="reg-checks" disabled={isReadOnly}>
      <legend>{words.people.fields.skills}</legend>
      {offered.map((skill) => (
        <label key={skill}>
          <input type="checkbox" checked={held.includes(skill)} onChange={() => toggle(skill)} />
          {wordFor(words.people.skill, skill)}
        </label>
      ))}
    </fieldset>
  );
}
