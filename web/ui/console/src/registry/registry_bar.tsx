import { useWords } from "@shared/language.ts";
import { Keycap } from "@shared/parts/controls.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import { useStore } from "@shared/store.ts";
import { toast } from "../toast.ts";

/** Below the registry: the last thing done, and the keys that work here. */
export function RegistryBar() {
  const words = useWords().registry.keys;
  const last = useStore(toast);
  const keys: [string, string][] = [
    ["1–6", words.pages],
    ["↑ ↓", words.move],
    ["⏎", words.open],
    ["Esc", words.back],
    ["R", words.board],
  ];
  return (
    <footer class={`bar command-bar reg-bar ${last ? "told" : ""}`}>
      <span class={`last ${last?.bad ? "bad" : ""}`} role="status">
        {last?.bad ? <Icon name="warn" /> : null}
        <span class="text ellipsis">{last?.text ?? ""}</span>
      </span>
      <span class="keys">
        {keys.map(([key, text]) => (
          <span key={key}>
            <Keycap>{key}</Keycap>
            {text}
          </span>
        ))}
      </span>
    </footer>
  );
}
