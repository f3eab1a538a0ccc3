/** PURE. What stands behind the # of the address: the page of the registry, a thing of it, filters. */

export const PAGES = ["aeds", "people", "import", "disasters", "policies", "tasks"] as const;
export type RegistryPage = (typeof PAGES)[number];

/** A second list of a page: reports of AEDs, teams of volunteers. */
export type Part = "reports" | "teams";

export interface Route {
  page: RegistryPage;
  part: Part | null;
  /** An id, or "new". */
  item: string | null;
  filters: Readonly<Record<string, string>>;
}

const PARTS: Record<RegistryPage, Part | null> = {
  aeds: "reports",
  people: "teams",
  import: null,
  disasters: null,
  policies: null,
  tasks: null,
};

/** Read `#aeds/reports/ID?trust=suspect`; null when the address names no page of the registry. */
export function parseHash(hash: string): Route | null {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?");
  const [name, ...rest] = path.split("/").filter(Boolean).map(decoded);
  const page = PAGES.find((known) => known === name);
  if (!page) return null;
  const part = rest[0] !== undefined && rest[0] === PARTS[page] ? PARTS[page] : null;
  const item = (part ? rest[1] : rest[0]) ?? null;
  return { page, part, item, filters: Object.fromEntries(new URLSearchParams(query)) };
}

/** Write a route as the address has it; filters that say nothing are left out. */
export function formatHash(route: Route): string {
  const path = [route.page, route.part, route.item].filter((piece) => piece !== null);
  const said = Object.entries(route.filters).filter(([, value]) => value !== "");
  const query = new URLSearchParams(said).toString();
  return `#${path.map(encodeURIComponent).join("/")}${query ? `?${query}` : ""}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
