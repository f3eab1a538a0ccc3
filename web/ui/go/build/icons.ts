// Draws the app's icons from the mark: a clock face of which one third has run. No picture files are kept.

import { crc32, deflateSync } from "node:zlib";

const INK = [0x14, 0x18, 0x1d] as const;
const RING = [0x5c, 0x64, 0x6e] as const;
const HAND = [0xff, 0xff, 0xff] as const;
type Colour = readonly [number, number, number];

/** Colour of the mark at a point of its 24-unit square; null is outside the rounded corners. */
function colourAt(x: number, y: number, rounded: boolean): Colour | null {
  if (rounded && outsideCorner(x, y)) return null;
  const dx = x - 12;
  const dy = y - 12;
  const radius = Math.hypot(dx, dy);
  if (radius < 5.5 || radius > 8.5) return INK;
  const fromTop = Math.atan2(dx, -dy);
  return fromTop >= 0 && fromTop <= (2 * Math.PI) / 3 ? HAND : RING;
}

function outsideCorner(x: number, y: number): boolean {
  const dx = Math.max(6 - x, x - 18, 0);
  const dy = Math.max(6 - y, y - 18, 0);
  return dx > 0 && dy > 0 && Math.hypot(dx, dy) > 6;
}

/** One pixel as RGBA, from four by four samples; two by two are enough for large pictures. */
function pixel(px: number, py: number, size: number, rounded: boolean): [number, number, number, number] {
  const sum = [0, 0, 0];
  let hits = 0;
  const per = size > 256 ? 2 : 4;
  for (let s = 0; s < per * per; s += 1) {
    const x = ((px + ((s % per) + 0.5) / per) / size) * 24;
    const y = ((py + (Math.floor(s / per) + 0.5) / per) / size) * 24;
    const colour = colourAt(x, y, rounded);
    if (!colour) continue;
    hits += 1;
    colour.forEach((value, i) => {
      sum[i] = (sum[i] ?? 0) + value;
    });
  }
  const [r = 0, g = 0, b = 0] = sum.map((value) => Math.round(value / Math.max(1, hits)));
  return [r, g, b, Math.round((hits / (per * per)) * 255)];
}

function section(name: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** The mark as a PNG file of `size` pixels; `rounded` leaves the corners clear. */
export function markPng(size: number, rounded: boolean): Buffer {
  const rows = Buffer.alloc(size * (1 + size * 4));
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) rows.set(pixel(x, y, size, rounded), y * (1 + size * 4) + 1 + x * 4);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 6, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    section("IHDR", head),
    section("IDAT", deflateSync(rows, { level: 9 })),
    section("IEND", new Uint8Array()),
  ]);
}
