import { serverNow } from "@shared/clock.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { aedState } from "@shared/map/aed_state.ts";
import { aedTitle } from "@shared/map/aed_title.ts";
import { mapLink, thisDevice } from "@shared/map/map_link.ts";
import { AedMark } from "@shared/parts/aed_mark.tsx";
import { Icon } from "@shared/parts/icon.tsx";
import { useStore } from "@shared/store.ts";
import type { ComponentChildren } from "preact";
import { finder, type PublicAed, type Walk } from "./finder.ts";
import { ReportButton } from "./report.tsx";
import { checkedText, dialled, hoursText, minutes, stateText, whereText, zoneAt } from "./texts.ts";

/** One AED: how far, whether it can be taken, where it hangs; then all that is known of it. */
export function Chosen({ aed, walk }: { aed: PublicAed; walk: Walk | undefined }) {
  const words = useWords();
  const state = aedState(aed, serverNow());
  return (
    <div data-testid="chosen" data-aed={aed.id}>
      <div class="chosen">
        <AedMark state={state} size={44} label={words.aed.states[state]} />
        <div class="chosen-text">
          <h1>{aedTitle(aed)}</h1>
          <p>{whereText(aed, words)}</p>
        </div>
        {walk ? <Minutes walk={walk} /> : null}
      </div>
      <Chips aed={aed} />
      <div class="find-buttons">
        <a class="big primary" href={mapLink(aed.position, aed.name, thisDevice())}>
          <Icon name="navigate" size={22} />
          {words.aed.directions}
        </a>
        <ReportButton aed={aed.id} />
      </div>
      <Facts aed={aed} />
    </div>
  );
}

function Minutes({ walk }: { walk: Walk }) {
  const words = useWords();
  const { origin } = useStore(finder);
  return (
    <p class="chosen-time" title={origin?.own ? words.aed.fromYou : words.aed.fromHere}>
      <b data-testid="minutes">{minutes(walk.travelS)}</b>
      <small>{words.aed.minWalk}</small>
      <small>{walk.estimated ? words.aed.estimate : words.parts.metres(walk.distanceM)}</small>
    </p>
  );
}

function Chips({ aed }: { aed: PublicAed }) {
  const words = useWords();
  const tag = useLanguage() === "en" ? "en-GB" : "zh-CN";
  const zone = zoneAt(useStore(finder).cities, aed.position);
  return (
    <p class="find-chips">
      <span class={aed.usable === "yes" ? "good" : ""}>{stateText(aed, words, serverNow(), zone)}</span>
      <span>{checkedText(aed, words, tag)}</span>
      {aed.is_invented ? <span>{words.aed.invented}</span> : null}
    </p>
  );
}

/** What one needs at the cabinet, in the order in which one needs it; what is not on file is left out. */
function Facts({ aed }: { aed: PublicAed }) {
  const words = useWords();
  const { labels } = words.aed;
  const phone = aed.phone ? dialled(aed.phone) : "";
  const cabinet = [
    aed.cabinet && aed.cabinet !== "unknown" ? words.aed.cabinet[aed.cabinet] : null,
    aed.has_child_pads ? words.aed.childPads : null,
  ].filter(Boolean);
  const hours = [aed.hours ? hoursText(aed.hours, words) : null, aed.hours_note, aed.closed_note];
  return (
    <dl class="facts">
      <Fact label={labels.hours}>{hours.filter(Boolean).join(" · ")}</Fact>
      <Fact label={labels.access}>{words.aed.access[aed.access]}</Fact>
      <Photos aed={aed} />
      <Fact label={labels.cabinet}>{cabinet.join(" · ")}</Fact>
      <Fact label={labels.phone}>
        {phone ? (
          <a class="served-tel" href={`tel:${phone}`}>
            {aed.phone}
          </a>
        ) : null}
      </Fact>
    </dl>
  );
}

function Fact({ label, children }: { label: string; children: ComponentChildren }) {
  if (!children) return null;
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Photos({ aed }: { aed: PublicAed }) {
  const words = useWords().aed.photos;
  if (!aed.photos?.length) return null;
  const ordered = [...aed.photos].sort((a, b) => Number(a.kind === "cabinet") - Number(b.kind === "cabinet"));
  return (
    <div class="served-photos">
      {ordered.map((photo) => (
        <img
          key={photo.id}
          src={`/api/v1/aeds/${aed.id}/photos/${photo.id}`}
          alt={words[photo.kind]}
          width={photo.width}
          height={photo.height}
          loading="lazy"
        />
      ))}
    </div>
  );
}
