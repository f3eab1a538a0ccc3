/** Drawings of things on the map as plain SVG elements: the same in lists, in legends and as map images. */

import { HEART_BOLT } from "../parts/icon.tsx";
import type { AedState } from "./aed_state.ts";

export interface Shape {
  tag: "rect" | "path" | "circle" | "text" | "line";
  attrs: Record<string, string | number>;
  text?: string;
}

export interface AedColours {
  green: string;
  raised: string;
  bad: string;
  ring: string;
}

/** Colours for markup in the page, where the theme's custom properties reach. */
export const PAGE_AED_COLOURS: AedColours = {
  green: "#00734A",
  raised: "var(--raised)",
  bad: "var(--bad)",
  ring: "var(--aed)",
};

const UNKNOWN = "#6B747E";
const heart = (attrs: Record<string, string | number>): Shape => ({
  tag: "path",
  attrs: { d: HEART_BOLT, "fill-rule": "evenodd", transform: "translate(5.8 5.7) scale(0.85)", ...attrs },
});
const square = (attrs: Record<string, string | number>): Shape => ({
  tag: "rect",
  attrs: { x: 4, y: 4, width: 24, height: 24, rx: 7, ...attrs },
});

/** The shapes of an AED in a 32 box; `planned` adds the ring. */
export function aedShapes(state: AedState, colours: AedColours, planned = false): Shape[] {
  const ring: Shape[] = planned
    ? [
        {
          tag: "rect",
          attrs: {
            x: -0.5,
            y: -0.5,
            width: 33,
            height: 33,
            rx: 10.5,
            fill: "none",
            stroke: colours.ring,
            "stroke-width": 2.5,
          },
        },
      ]
    : [];
  return [...ring, ...BODY[state](colours)];
}

const BODY: Record<AedState, (colours: AedColours) => Shape[]> = {
  usable: ({ green }) => [
    square({ fill: green, stroke: "#FFFFFF", "stroke-width": 2 }),
    heart({ fill: "#FFFFFF" }),
  ],
  soon: () => [
    square({ fill: "#F57C00", stroke: "#111111", "stroke-width": 1.5 }),
    heart({ fill: "#111111" }),
  ],
  closed: ({ raised }) => [
    square({ fill: raised, stroke: UNKNOWN, "stroke-width": 1.75 }),
    heart({ fill: "none", stroke: UNKNOWN, "stroke-width": 1.8, d: outlineHeart }),
  ],
  unknown: () => [
    square({ fill: UNKNOWN, stroke: "#FFFFFF", "stroke-width": 2 }),
    {
      tag: "text",
      attrs: {
        x: 16,
        y: 21.2,
        "text-anchor": "middle",
        fill: "#FFFFFF",
        "font-size": 15,
        "font-weight": 700,
        "font-family": "Inter, sans-serif",
      },
      text: "?",
    },
  ],
  out: ({ raised, bad }) => [
    square({ fill: raised, stroke: bad, "stroke-width": 1.75 }),
    heart({ fill: "#A3A9B0" }),
    { tag: "line", attrs: { x1: 6.5, y1: 25.5, x2: 25.5, y2: 6.5, stroke: raised, "stroke-width": 4.5 } },
    { tag: "line", attrs: { x1: 6.5, y1: 25.5, x2: 25.5, y2: 6.5, stroke: bad, "stroke-width": 2 } },
  ],
};

const outlineHeart =
  "M12 20.2C6.2 16.4 3.4 13.2 3.4 9.7 3.4 7.2 5.3 5.4 7.6 5.4c1.8 0 3.4 1 4.4 2.8 1-1.8 2.6-2.8 4.4-2.8 2.3 0 4.2 1.8 4.2 4.3 0 3.5-2.8 6.7-8.6 10.5Z";

/** The house on a depot's mark, in a 24 box. */
export const DEPOT_HOUSE = "M6 12.5 12 7.5l6 5V18H6ZM9.5 18v-4h5v4";

/** Write shapes as SVG text, for an image. */
export function svgText(shapes: Shape[], box: string, size: number): string {
  const inner = shapes.map(({ tag, attrs, text }) => {
    const written = Object.entries(attrs)
      .map(([name, value]) => `${name}="${value}"`)
      .join(" ");
    return `<${tag} ${written}>${text ?? ""}</${tag}>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box}" width="${size}" height="${size}">${inner.join("")}</svg>`;
}
