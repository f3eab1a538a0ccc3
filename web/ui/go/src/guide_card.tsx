import { floorText } from "@shared/floor.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { Mission } from "@shared/shapes.ts";
import { useTorch } from "./torch.ts";

/** Meeting the ambulance: where to stand, what to do, what to say to the crew. */
export function GuideCard({ mission: { incident } }: { mission: Mission }) {
  const all = useWords();
  const words = all.care.guide;
  const torch = useTorch();
  const gap = useLanguage() === "en" ? ", " : "，";
  const place = [incident.address, incident.entrance, floorText(incident.floor, all)];
  return (
    <section class="card guide" data-testid="guide">
      <h2>
        <Icon name="navigate" size={24} />
        {words.title}
      </h2>
      <p>
        <b>{words.where}</b>
        {incident.entrance || words.entrance}
      </p>
      <blockquote>
        <b>{words.sayTitle}</b>
        <p>{words.say(place.filter(Boolean).join(gap) || words.here)}</p>
      </blockquote>
      <ol>
        {words.todo.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ol>
      {torch ? (
        <button type="button" class="phone-button" aria-pressed={torch.on} onClick={torch.toggle}>
          <Icon name="sun" size={20} />
          {words.torch}
        </button>
      ) : null}
    </section>
  );
}
