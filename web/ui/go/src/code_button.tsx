import { get } from "@shared/api.ts";
import { useNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import { useState } from "preact/hooks";
import { at, type CodeState, failure, secondsShown, shownFrom } from "./cabinet_code.ts";

/** The code of the cabinet: one tap asks, a minute later it is gone; it is never kept. */
export function CodeButton({ aed }: { aed: string }) {
  const words = useWords().go.device;
  const [state, setState] = useState<CodeState>({ kind: "hidden" });
  useNow(1000);
  const now = performance.now();
  const seen = at(state, now);
  if (seen !== state) setState(seen);
  const ask = async () => {
    setState({ kind: "asking" });
    try {
      const { code } = await get<{ code: string }>(`/aeds/${aed}/code`);
      setState(shownFrom(code, performance.now()));
    } catch (error) {
      setState(failure(error));
    }
  };
  return (
    <div class="code" role="status">
      {seen.kind === "shown" ? (
        <p class="code-shown" data-testid="code">
          <span>
            {words.code}
            <small aria-hidden="true">{words.hiddenIn(secondsShown(seen, now))}</small>
          </span>
          <b>{seen.code}</b>
        </p>
      ) : (
        <button
          type="button"
          class="phone-button"
          data-testid="show-code"
          aria-busy={seen.kind === "asking"}
          onClick={() => seen.kind === "asking" || void ask()}
        >
          <Icon name="shield" size={20} />
          {seen.kind === "asking" ? words.askingCode : words.showCode}
        </button>
      )}
      {seen.kind === "failed" ? <p class="hint">{words.codeFailed[seen.why]}</p> : null}
    </div>
  );
}
