/** PURE. Which page a person is led to after signing in. */

import type { AccountRole } from "@shared/shapes.ts";

export type PageName = "console" | "go" | "planner";

const PAGE_OF: Record<AccountRole, PageName> = {
  operator: "console",
  admin: "console",
  auditor: "console",
  keeper: "console",
  planner: "planner",
  responder: "go",
  carer: "console",
};

/** The pages a person may use, the one for their first duty first. */
export function pagesFor(roles: readonly AccountRole[]): PageName[] {
  const order: PageName[] = ["console", "planner", "go"];
  const open = new Set(roles.map((role) => PAGE_OF[role]));
  return order.filter((page) => open.has(page));
}

/** Where to go: the page that was asked for if it is one of ours, else the first that may be used. */
export function destination(roles: readonly AccountRole[], asked: string | null): string | null {
  const pages = pagesFor(roles);
  // Only our own pages: a link must not lead a freshly signed-in person elsewhere.
  const wanted = pages.find((page) => asked === `/${page}` || asked?.startsWith(`/${page}?`));
  if (wanted && asked) return asked;
  return pages[0] ? `/${pages[0]}` : null;
}
