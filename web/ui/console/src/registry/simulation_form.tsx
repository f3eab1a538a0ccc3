import { useWords } from "@shared/language.ts";
import { useId } from "preact/hooks";

/** Where and with how many incidents a policy is tried. */
export interface SimulationWish {
  world: "poisson" | "here" | "past";
  setting: "base" | "china";
  incidents: number;
}

export const USUAL: SimulationWish = { world: "poisson", setting: "base", incidents: 2000 };

const WORLDS = ["poisson", "here", "past"] as const;
const SETTINGS = ["base", "china"] as const;
const SIZES = [500, 2000, 5000, 20_000] as const;

interface Props {
  wish: SimulationWish;
  onWish: (wish: SimulationWish) => void;
  isBusy: boolean;
}

/** On what a version is simulated: even fields, this place, or its past; and how long it takes is its size. */
export function SimulationForm({ wish, onWish, isBusy }: Props) {
  const own = useWords().office.policy.simulation;
  return (
    <fieldset class="reg-group" disabled={isBusy}>
      <legend>{own.title}</legend>
      <div class="reg-fields">
        <div class="wide">
          <Choice
            name="world"
            label={own.world}
            value={wish.world}
            options={WORLDS.map((world) => [world, own.worlds[world]])}
            hint={own.worldHints[wish.world]}
            onPick={(world) => onWish({ ...wish, world: world as SimulationWish["world"] })}
          />
        </div>
        <Choice
          name="setting"
          label={own.setting}
          value={wish.setting}
          options={SETTINGS.map((setting) => [setting, own.settings[setting]])}
          hint={own.settingHints[wish.setting]}
          onPick={(setting) => onWish({ ...wish, setting: setting as SimulationWish["setting"] })}
        />
        <Choice
          name="incidents"
          label={own.incidents}
          value={String(wish.incidents)}
          options={SIZES.map((size) => [String(size), own.size(size)])}
          hint={own.incidentsHint}
          onPick={(size) => onWish({ ...wish, incidents: Number(size) })}
        />
      </div>
    </fieldset>
  );
}

interface ChoiceProps {
  name: string;
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  hint: string;
  onPick: (value: string) => void;
}

function Choice({ name, label, value, options, hint, onPick }: ChoiceProps) {
  const id = useId();
  return (
    <div>
      <label for={id}>{label}</label>
      <div class="gm-field">
        <select
          {...{ id, name, value }}
          aria-describedby={`${id}-more`}
          onChange={(event) => onPick(event.currentTarget.value)}
        >
          {options.map(([option, text]) => (
            <option key={option} value={option}>
              {text}
            </option>
          ))}
        </select>
      </div>
      <p class="reg-hint" id={`${id}-more`}>
        {hint}
      </p>
    </div>
  );
}
