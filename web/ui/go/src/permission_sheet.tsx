import { useWords } from "@shared/language.ts";
import { useStore } from "@shared/store.ts";
import { useState } from "preact/hooks";
import { refresh, showNotice } from "./phone.ts";
import { platformOf } from "./platform.ts";
import { place, sharePosition } from "./position.ts";
import { type Notify, notifyState, renewPush } from "./push.ts";
import { Sheet } from "./sheet.tsx";

interface Props {
  what: "notify" | "place";
  onClose: () => void;
}

/** One permission at a time: first why, then the phone's own question; refused, the way to its settings. */
export function PermissionSheet({ what, onClose }: Props) {
  const all = useWords();
  const words = all.care.permission[what];
  const { permission } = useStore(place);
  const [notify, setNotify] = useState<Notify>(notifyState);
  const state = what === "notify" ? notify : permission;
  const ask = async () => {
    if (what === "notify") setNotify(await Notification.requestPermission());
    else await sharePosition();
    void renewPush();
    void refresh();
    const now = what === "notify" ? notifyState() : place.get().permission;
    if (now === "granted") onClose();
  };
  const tryAsk = () => ask().catch((error: Error) => showNotice({ kind: "refused", text: error.message }));
  const isMissing = state === "missing" || state === "unsupported";
  return (
    <Sheet title={words.title} onClose={onClose}>
      <p>{words.why}</p>
      {isMissing ? <p class="warn-block block">{words.missing}</p> : null}
      {state === "denied" ? (
        <div class="warn-block block" data-testid="denied">
          <p>
            <b>{words.denied}</b>
            {words.path[platformOf(navigator.userAgent, navigator.maxTouchPoints)]}
          </p>
        </div>
      ) : null}
      {isMissing || state === "denied" ? null : (
        <button type="button" class="phone-button primary" data-testid="allow" onClick={tryAsk}>
          {words.ask}
        </button>
      )}
      <button type="button" class="phone-button" onClick={onClose}>
        {isMissing || state === "denied" ? all.parts.close : all.care.permission.later}
      </button>
    </Sheet>
  );
}
