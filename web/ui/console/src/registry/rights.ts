import type { AccountRole, ListKind } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import { session } from "../state.ts";

// As the server has it; whoever may only look is not shown buttons that would be refused.
const CHANGERS: Record<ListKind, readonly AccountRole[]> = {
  aeds: ["operator", "admin"],
  responders: ["admin"],
  stock: ["keeper", "admin"],
};

/** Whether the person at the desk may change things of this kind in their organisation. */
export function useMayChange(kind: ListKind): boolean {
  const roles = useStore(session)?.roles ?? [];
  return CHANGERS[kind].some((role) => roles.includes(role));
}
