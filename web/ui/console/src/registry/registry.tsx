import type { FunctionComponent } from "preact";
import { AedList } from "./aed_list.tsx";
import { AedSide } from "./aed_side.tsx";
import { DisasterList } from "./disaster_list.tsx";
import { DisasterSide } from "./disaster_side.tsx";
import { ImportList } from "./import_list.tsx";
import { ImportSide } from "./import_side.tsx";
import { PeopleList } from "./people_list.tsx";
import { PeopleSide } from "./person_side.tsx";
import { PolicyList } from "./policy_list.tsx";
import { PolicySide } from "./policy_side.tsx";
import type { RegistryPage } from "./route.ts";
import { TaskList } from "./task_list.tsx";
import { TaskSide } from "./task_side.tsx";
import { useWhere } from "./where.ts";

const LISTS: Record<RegistryPage, FunctionComponent> = {
  aeds: AedList,
  people: PeopleList,
  import: ImportList,
  disasters: DisasterList,
  policies: PolicyList,
  tasks: TaskList,
};

const SIDES: Record<RegistryPage, FunctionComponent> = {
  aeds: AedSide,
  people: PeopleSide,
  import: ImportSide,
  disasters: DisasterSide,
  policies: PolicySide,
  tasks: TaskSide,
};

/** The registry's left column, where the board has its queue. */
export function RegistryList() {
  const List = LISTS[useWhere()?.page ?? "aeds"];
  return <List />;
}

/** The registry's right column, where the board has its card. */
export function RegistrySide() {
  const Shown = SIDES[useWhere()?.page ?? "aeds"];
  return <Shown />;
}
