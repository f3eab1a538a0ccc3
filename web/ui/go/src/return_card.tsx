import { hourMinute } from "@shared/clock.ts";
import { floorText } from "@shared/floor.ts";
import { useWords } from "@shared/language.ts";
import { aedTitle } from "@shared/map/aed_title.ts";
import { AedMark } from "@shared/parts/aed_mark.tsx";
import { useStore } from "@shared/store.ts";
import { type Carried, toReturn } from "./carried.ts";
import { carrying } from "./carrying.ts";
import { giveBack, usePhone } from "./phone.ts";

/** Every AED that this person took and has not brought back. */
export function Returns() {
  const waiting = usePhone((state) => state.waiting);
  const mission = usePhone((state) => state.mission);
  const open = toReturn(useStore(carrying), waiting).filter(({ aed }) => aed.id !== mission?.aed?.id);
  return (
    <>
      {open.map((one) => (
        <ReturnCard key={one.aed.id} carried={one} />
      ))}
    </>
  );
}

/** Where an AED belongs, and the two ways in which it comes back. */
export function ReturnCard({ carried: { aed, takenAt } }: { carried: Carried }) {
  const all = useWords();
  const words = all.go.device;
  const where = [floorText(aed.floor, all), aed.entrance, aed.location_note ?? aed.address];
  return (
    <section class="block return" data-testid="return" aria-label={words.bringBack}>
      <div class="return-head">
        <AedMark state="usable" size={40} />
        <div class="card-text">
          <p>
            {words.bringBack} · {all.go.mission.takenAt(hourMinute(takenAt))}
          </p>
          <h2>{aedTitle(aed)}</h2>
          <p>{where.filter(Boolean).join(" · ")}</p>
        </div>
      </div>
      <p class="hint">{words.returnHint}</p>
      <div class="pair">
        {([false, true] as const).map((used) => (
          <button
            key={String(used)}
            type="button"
            class="phone-button"
            data-testid={used ? "returned-used" : "returned-unused"}
            onClick={() => giveBack(aed.id, used)}
          >
            {used ? words.returnedUsed : words.returnedUnused}
          </button>
        ))}
      </div>
    </section>
  );
}
