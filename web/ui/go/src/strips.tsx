import { useNow } from "@shared/clock.ts";
import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Mission } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { photos } from "./aed_photos.ts";
import { returnedBy } from "./carried.ts";
import type { Entry } from "./outbox.ts";
import { stepOf } from "./person_state.ts";
import { live, type Notice, showNotice, undo, usePhone } from "./phone.ts";

/** One line for what the phone has to say: undo, waiting taps, no network, a notice. */
export function Strips() {
  const mission = usePhone((state) => state.mission);
  const waiting = usePhone((state) => state.waiting);
  const notice = usePhone((state) => state.notice);
  const photosWaiting = useStore(photos).waiting;
  useNow(500);
  const held = waiting.find((entry) => entry.heldUntil > Date.now());
  return (
    <div class={`strips ${mission ? "low" : ""}`} role="status">
      {held && (mission || returnedBy(held)) ? (
        <UndoStrip entry={held} mission={mission} />
      ) : (
        <NetworkStrip waiting={waiting.length + photosWaiting} />
      )}
      {notice ? <NoticeStrip notice={notice} /> : null}
    </div>
  );
}

function UndoStrip({ entry, mission }: { entry: Entry; mission: Mission | null }) {
  const words = useWords().go;
  const step = mission ? stepOf(mission, entry) : null;
  const done = returnedBy(entry) ? words.device.returned : step ? words.mission.dots[step] : "";
  const left = Math.max(1, Math.ceil((entry.heldUntil - Date.now()) / 1000));
  return (
    <p class="strip">
      <Icon name="check" size={20} />
      <span>{words.undo(done)}</span>
      <button type="button" data-testid="undo" onClick={() => undo(entry)}>
        {words.undoButton(left)}
      </button>
    </p>
  );
}

function NetworkStrip({ waiting }: { waiting: number }) {
  const words = useWords().go;
  const { phase, lostAt } = useStore(live.state);
  const away = phase !== "live" && lostAt !== null;
  if (!away && waiting === 0) return null;
  return (
    <p class="strip" data-testid="network">
      <Icon name={away ? "wifi" : "clock"} size={20} />
      <span>{away ? (waiting > 0 ? words.offline(waiting) : words.offlineNow) : words.waiting(waiting)}</span>
    </p>
  );
}

function NoticeStrip({ notice }: { notice: Notice }) {
  const words = useWords().go.notice;
  return (
    <p class="strip" data-testid="notice">
      <Icon name={notice.kind === "refused" ? "warn" : "info"} size={20} />
      <span>{"text" in notice ? notice.text : words[notice.kind]}</span>
      <button type="button" onClick={() => showNotice(null)}>
        {words.close}
      </button>
    </p>
  );
}
