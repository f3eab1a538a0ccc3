/** What to call an AED: map data often names it only "AED", then its address says more. */
export const aedTitle = ({ name, address }: { name: string; address?: string | null }): string =>
  name.trim().toUpperCase() === "AED" && address ? address : name;
