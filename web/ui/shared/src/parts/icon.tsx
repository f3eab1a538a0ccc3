/** Outline icons on a 24 grid: stroke 1.8, round caps, no fill. */
const PATHS = {
  walk: "M13 4.5a1.2 1.2 0 1 0 .01 0M9 21l2.5-6-2-2.5.8-4.5 3.2 0 1.6 3 2.9 1M10.3 8 7.6 9.6 7 13M12.3 14.6 15 17l1 4",
  phone: "M5 4h4l2 5-2.5 1.5a11 11 0 0 0 5 5L15 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 6a2 2 0 0 1 2-2",
  mobile:
    "M8 3h8a1.5 1.5 0 0 1 1.5 1.5v15A1.5 1.5 0 0 1 16 21H8a1.5 1.5 0 0 1-1.5-1.5v-15A1.5 1.5 0 0 1 8 3ZM11 18h2",
  bell: "M6 16v-5a6 6 0 1 1 12 0v5l1.5 2h-15ZM10 21h4",
  door: "M6 21V4.5A1.5 1.5 0 0 1 7.5 3h9A1.5 1.5 0 0 1 18 4.5V21M3.5 21h17M14 12v.5",
  floor: "M4 20h16M6 20V6l6-3 6 3v14M10 9h4M10 13h4M10 17h4",
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20a6.5 6.5 0 0 1 13 0M16 4.3a3.5 3.5 0 0 1 0 6.5M18 14.5a6.5 6.5 0 0 1 3.5 5.5",
  sound: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5ZM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  muted: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5ZM16 9.5l5 5M21 9.5l-5 5",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 2.5v2M12 19.5v2M4.6 4.6 6 6M18 18l1.4 1.4M2.5 12h2M19.5 12h2M4.6 19.4 6 18M18 6l1.4-1.4",
  contrast: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 3v18M12 8h7M12 12h9M12 16h7",
  language:
    "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM3 12h18M12 3c3 3 3.5 6 3.5 9S15 18 12 21M12 3c-3 3-3.5 6-3.5 9S9 18 12 21",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  target: "M12 18a6 6 0 1 0 0-12 6 6 0 0 0 0 12ZM12 2.5V6M12 18v3.5M2.5 12H6M18 12h3.5",
  warn: "M12 4 2.8 20h18.4ZM12 10v4.5M12 17.3v.2",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5l3.5 2",
  house: "M4 11 12 4l8 7v9h-5v-6H9v6H4Z",
  check: "m5 12.5 4.5 4.5L19 7.5",
  close: "M6 6l12 12M18 6 6 18",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM16 16l4.5 4.5",
  pin: "M12 21.5s7-6.3 7-11.5a7 7 0 1 0-14 0c0 5.2 7 11.5 7 11.5ZM12 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
  note: "M5 4h14v12l-4 4H5ZM15 20v-4h4M8.5 9h7M8.5 13h4",
  screen: "M4 5h16v11H4ZM9 20h6M12 16v4",
  gear: "M12 15.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM12 2.5v3M12 18.5v3M3.8 7.2l2.6 1.5M17.6 15.3l2.6 1.5M3.8 16.8l2.6-1.5M17.6 8.7l2.6-1.5",
  box: "M4 8l8-4 8 4v8l-8 4-8-4ZM4 8l8 4 8-4M12 12v8",
  exit: "M14 4h5v16h-5M4 12h10M10.5 8 14.5 12l-4 4",
  chevron: "m9 5 7 7-7 7",
  back: "m15 5-7 7 7 7",
  navigate: "M12 3 20 20l-8-3.5L4 20Z",
  help: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM9.3 9.3a2.8 2.8 0 1 1 3.9 2.6c-.9.4-1.2 1-1.2 2M12 17v.2",
  calendar: "M4.5 6h15v14h-15ZM4.5 10.5h15M8.5 3.5V8M15.5 3.5V8",
  shield: "M12 3 5 6v5.5c0 4.5 3 7.8 7 9.5 4-1.7 7-5 7-9.5V6Z",
  download: "M12 4v11M7.5 11 12 15.5 16.5 11M5 20h14",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 11v6M12 7.5v.2",
  wifi: "M2.5 9.5a14 14 0 0 1 19 0M5.8 13a9 9 0 0 1 12.4 0M9 16.3a4.4 4.4 0 0 1 6 0M12 19.5v.1",
  certificate:
    "M10 17H4.5A1.5 1.5 0 0 1 3 15.5v-10A1.5 1.5 0 0 1 4.5 4h15A1.5 1.5 0 0 1 21 5.5V11M7 8.5h8M7 12h4M16.5 18.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM14.8 18l-.8 4 2.5-1.3L19 22l-.8-4",
  camera: "M4 8h3.5L9 5.5h6L16.5 8H20v11H4ZM12 16.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4Z",
  message: "M4 5.5h16v11H11l-4.5 4v-4H4ZM8 9.5h8M8 12.5h5",
  chat: "M9.5 15.5A6 5 0 1 1 15 9.6M9.5 15.5 5.5 17l1-3M15 9.6a5 4.3 0 1 1-2.8 7.8M15 9.6a5 4.3 0 0 1 4.2 7L20 19.5l-3-1",
  list: "M9 6h11M9 12h11M9 18h11M4 6h.1M4 12h.1M4 18h.1",
} as const;

export type IconName = keyof typeof PATHS | "aed";

// The one filled icon: a heart with the bolt cut out.
export const HEART_BOLT =
  "M12 20.5C6.2 16.6 3 13.3 3 9.6 3 6.9 5.1 5 7.5 5c1.8 0 3.4 1 4.5 2.7C13.1 6 14.7 5 16.5 5 18.9 5 21 6.9 21 9.6c0 3.7-3.2 7-9 10.9ZM12.9 8.3 8.9 13h2.6l-.6 3.7 4.2-5h-2.7Z";

/** Draw an icon; decorative unless it gets a `label`. */
export function Icon({ name, size = 16, label }: { name: IconName; size?: number; label?: string }) {
  const filled = name === "aed";
  return (
    <svg
      class="gm-icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill={filled ? "currentColor" : "none"}
      fill-rule="evenodd"
      stroke={filled ? "none" : "currentColor"}
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      role={label ? "img" : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
      focusable="false"
    >
      {label ? <title>{label}</title> : null}
      <path d={filled ? HEART_BOLT : PATHS[name]} />
    </svg>
  );
}
