import { useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import type { Post } from "@shared/shapes.ts";
import { useState } from "preact/hooks";

interface Props {
  posts: Post[];
  /** Null where it may only be read. */
  onSave: ((posts: Post[]) => Promise<boolean>) | null;
  isBusy: boolean;
}

/** Who commands: each post and who holds it. */
export function Command({ posts, onSave, isBusy }: Props) {
  const words = useWords();
  const own = words.incidentLife.disaster;
  const [draft, setDraft] = useState<Post[] | null>(null);
  const shown = draft ?? posts;
  const change = (index: number, part: Partial<Post>) =>
    setDraft(shown.map((post, at) => (at === index ? { ...post, ...part } : post)));
  const save = async () => {
    const whole = shown.filter(({ post, name }) => post.trim() && name.trim());
    if (await onSave?.(whole)) setDraft(null);
  };
  return (
    <section class="reg-group" aria-label={own.command}>
      <h2>{own.command}</h2>
      {shown.length === 0 ? <p class="reg-hint">{own.noCommand}</p> : null}
      {shown.map((post, index) => (
        <div class="command-row" key={index}>
          {onSave ? (
            <>
              <Text label={own.post} value={post.post} onText={(text) => change(index, { post: text })} />
              <Text label={own.holder} value={post.name} onText={(text) => change(index, { name: text })} />
              <Text
                label={own.phone}
                value={post.phone ?? ""}
                onText={(text) => change(index, { phone: text || null })}
              />
              <Button
                size="small"
                look="ghost"
                icon="close"
                aria-label={own.removePost}
                title={own.removePost}
                onClick={() => setDraft(shown.filter((_, at) => at !== index))}
              />
            </>
          ) : (
            <span>{[post.post, post.name, post.phone].filter(Boolean).join(" · ")}</span>
          )}
        </div>
      ))}
      {onSave ? (
        <div class="reg-line">
          <Button
            size="small"
            icon="plus"
            onClick={() => setDraft([...shown, { post: "", name: "", phone: null }])}
          >
            {own.addPost}
          </Button>
          {draft ? (
            <>
              <Button size="small" look="primary" data-save="" disabled={isBusy} onClick={() => void save()}>
                {words.registry.save}
              </Button>
              <Button size="small" onClick={() => setDraft(null)}>
                {words.registry.discard}
              </Button>
            </>
          ) : null}
        </div>
      ) : null}
    </section>
  );
}

interface TextProps {
  label: string;
  value: string;
  onText: (text: string) => void;
}

function Text({ label, value, onText }: TextProps) {
  return (
    <div class="gm-field">
      <input
        aria-label={label}
        placeholder={label}
        autoComplete="off"
        value={value}
        onInput={(event) => onText(event.currentTarget.value)}
      />
    </div>
  );
}
