import { AedList } from "./aed_list.tsx";
import { AedSide } from "./aed_side.tsx";
import { ImportList } from "./import_list.tsx";
import { ImportSide } from "./import_side.tsx";
import { PeopleList } from "./people_list.tsx";
import { PeopleSide } from "./person_side.tsx";
import { useWhere } from "./where.ts";

/** The registry's left column, where the board has its queue. */
export function RegistryList() {
  const page = useWhere()?.page;
  if (page === "people") return <PeopleList />;
  return page === "import" ? <ImportList /> : <AedList />;
}

/** The registry's right column, where the board has its card. */
export function RegistrySide() {
  const page = useWhere()?.page;
  if (page === "people") return <PeopleSide />;
  return page === "import" ? <ImportSide /> : <AedSide />;
}
