import type { AccountRole, ListKind } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { session } from "../state.ts";
import type { RegistryPage } from "./route.ts";

// As the server has it; whoever may only look is not shown buttons that would be refused.
const CHANGERS: Record<ListKind | "disasters" | "policies" | "tasks", readonly AccountRole[]> = {
  aeds: ["operator", "admin"],
  responders: ["admin"],
  stock: ["keeper", "admin"],
  disasters: ["operator", "admin"],
  policies: ["admin"],
  tasks: ["operator", "planner", "admin", "carer"],
};

/** Whether the person at the desk may change things of this kind in their organisation. */
export function useMayChange(kind: keyof typeof CHANGERS): boolean {
  const roles = useStore(session)?.roles ?? [];
  return CHANGERS[kind].some((role) => roles.includes(role));
}

const LOOKERS: Record<RegistryPage, readonly AccountRole[]> = {
  aeds: ["operator", "planner", "admin", "auditor", "keeper"],
  people: ["operator", "admin", "auditor"],
  import: ["operator", "keeper", "admin"],
  disasters: ["operator", "admin", "auditor"],
  policies: ["operator", "planner", "admin", "auditor"],
  tasks: ["operator", "planner", "admin", "auditor", "carer"],
};

/** Which pages the person at the desk has any use of. */
export function useMayOpen(): (page: RegistryPage) => boolean {
  const roles = useStore(session)?.roles ?? [];
  return (page) => LOOKERS[page].some((role) => roles.includes(role));
}
