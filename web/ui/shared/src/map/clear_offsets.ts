/** PURE. Where to put arrival badges so that they cover no symbol and no other badge. */

export interface Spot {
  x: number;
  y: number;
}

/** A symbol on the screen, as a disc. */
export interface Disc extends Spot {
  r: number;
}

// Half the size of a badge such as "12:34" with its icon, and its casing.
const HALF = { width: 35, height: 14 };

// Nearest first; above and below before left and right, because badges are wide.
const TRIES: readonly [number, number][] = [
  [0, 0],
  [0, -32],
  [0, 32],
  [56, 0],
  [-56, 0],
  [0, -48],
  [0, 48],
  [56, -30],
  [-56, -30],
  [56, 30],
  [-56, 30],
  [0, -64],
];

/** One offset per badge, in their order; a badge that finds no free place stays where it is. */
export function clearOffsets(badges: readonly Spot[], symbols: readonly Disc[]): [number, number][] {
  const placed: Spot[] = [];
  return badges.map((badge) => {
    const free = TRIES.find(([dx, dy]) => isFree({ x: badge.x + dx, y: badge.y + dy }, symbols, placed));
    const [dx, dy] = free ?? [0, 0];
    placed.push({ x: badge.x + dx, y: badge.y + dy });
    return [dx, dy];
  });
}

function isFree(spot: Spot, symbols: readonly Disc[], placed: readonly Spot[]): boolean {
  const hitsSymbol = symbols.some(({ x, y, r }) => {
    const dx = Math.max(0, Math.abs(spot.x - x) - HALF.width);
    const dy = Math.max(0, Math.abs(spot.y - y) - HALF.height);
    return Math.hypot(dx, dy) < r;
  });
  const near = (other: Spot) =>
    Math.abs(spot.x - other.x) < HALF.width * 2 && Math.abs(spot.y - other.y) < HALF.height * 2;
  return !hitsSymbol && !placed.some(near);
}
