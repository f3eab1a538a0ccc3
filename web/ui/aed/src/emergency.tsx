import { useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";

/** The number of the ambulance service, as this installation was told. */
export const emergencyNumber = (): string =>
  document.querySelector<HTMLMetaElement>("meta[name=emergency-number]")?.content || "120";

/** One tap to the ambulance service: an AED is the second thing, never the first. */
export function CallButton() {
  const number = emergencyNumber();
  return (
    <a class="call" href={`tel:${number}`} aria-label={useWords().aed.call(number)}>
      <Icon name="phone" size={22} />
      {number}
    </a>
  );
}
