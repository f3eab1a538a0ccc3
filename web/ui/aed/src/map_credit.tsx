import { useWords } from "@shared/language.ts";
import { type City, publicGround } from "@shared/map/city.ts";
import { useStore } from "@shared/store.ts";

/** In the corner of the map: whose it is, its review number, and whose the AEDs are. */
export function MapCredit({ city }: { city: City | null }) {
  const words = useWords().parts.map;
  const { kind, attribution, reviewNumber, needsNumber } = useStore(publicGround);
  return (
    <p class="map-credit" data-testid="credit">
      {kind === "none" ? <span>{words.noGround}</span> : null}
      {kind === "licensed" && attribution ? <span>{attribution}</span> : null}
      {reviewNumber ? <span>{words.reviewNumber(reviewNumber)}</span> : null}
      {needsNumber ? <span>{words.notSurveyed}</span> : null}
      <a href="https://www.openstreetmap.org/copyright" target="_blank" rel="noreferrer">
        {city?.attribution ?? "© OpenStreetMap contributors"}
      </a>
    </p>
  );
}
