/** PURE. Where things stand on the minute axis, and which labels fit. */

export interface AxisItem {
  key: string;
  label: string;
  /** Seconds after the call. */
  atS: number;
  kind: "person" | "aed" | "ambulance";
  done: boolean;
}

export interface AxisMark extends AxisItem {
  x: number;
  /** Left edge of the label, or null when it was dropped for room. */
  labelX: number | null;
}

/** Ten minutes, then thirty; so that the axis changes once at most in a normal incident. */
export const axisLength = (elapsedS: number): number => (elapsedS > 600 ? 1800 : 600);

export function axisTicks(lengthS: number): { x: number; minute: number }[] {
  const step = lengthS / 5;
  return [0, 1, 2, 3, 4, 5].map((i) => ({ x: (i * step) / lengthS, minute: (i * step) / 60 }));
}

const GAP = 6;

/** Place marks on a track of `width` px. Labels shift outward; the later one is dropped if it cannot fit. */
export function placeMarks(items: readonly AxisItem[], lengthS: number, width: number): AxisMark[] {
  const inside = items.filter((item) => item.atS >= 0 && item.atS <= lengthS);
  const sorted = [...inside].sort((a, b) => a.atS - b.atS);
  const marks: AxisMark[] = sorted.map((item) => ({
    ...item,
    x: (item.atS / lengthS) * width,
    labelX: null,
  }));
  let taken = 0;
  marks.forEach((mark, index) => {
    const size = labelWidth(mark.label);
    const next = marks[index + 1];
    // Lean left when the next mark is near, so that both labels have room.
    const crowded = next !== undefined && next.x - mark.x < (size + labelWidth(next.label)) / 2 + GAP;
    const wanted = crowded ? mark.x - size + 12 : mark.x - size / 2;
    const left = Math.min(Math.max(wanted, taken), width - size);
    const shifted = Math.abs(left + size / 2 - mark.x);
    if (left < taken || shifted > size) return;
    mark.labelX = left;
    taken = left + size + GAP;
  });
  return marks;
}

/** Width of a 12 px semibold label: Chinese is square, digits and Latin are about 7 px. */
function labelWidth(text: string): number {
  return [...text].reduce((sum, letter) => sum + (letter > "\u2e80" ? 12 : 7.2), 0);
}
