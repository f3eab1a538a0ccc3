import type { Severity } from "../shapes.ts";

/** Outline of each severity's shape in a 24 box: octagon, triangle, square, circle. */
const SEVERITY_SHAPE: Record<Severity, string> = {
  1: "M7.9 2h8.2L22 7.9v8.2L16.1 22H7.9L2 16.1V7.9Z",
  2: "M12 2.6 22.4 21H1.6Z",
  3: "M4 2.5h16A1.5 1.5 0 0 1 21.5 4v16a1.5 1.5 0 0 1-1.5 1.5H4A1.5 1.5 0 0 1 2.5 20V4A1.5 1.5 0 0 1 4 2.5Z",
  4: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Z",
};

const EDGE: Record<Severity, string> = {
  1: "var(--p1-edge)",
  2: "var(--p23-edge)",
  3: "var(--p23-edge)",
  4: "transparent",
};

interface BadgeProps {
  severity: Severity;
  size?: number;
  /** Closed incidents and zero counts: outline only. */
  hollow?: boolean;
  label?: string;
}

/** Severity by shape, digit and colour together. */
export function Badge({ severity, size = 24, hollow = false, label }: BadgeProps) {
  const warm = severity === 2 || severity === 3;
  const digit = hollow ? "var(--ink3)" : warm ? "var(--on-warm)" : "var(--on-hot)";
  return (
    <svg
      class="gm-badge"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      role={label ? "img" : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
    >
      {label ? <title>{label}</title> : null}
      <path
        d={SEVERITY_SHAPE[severity]}
        fill={hollow ? "none" : `var(--p${severity})`}
        stroke={hollow ? "var(--line2)" : EDGE[severity]}
        stroke-width={1.5 * (24 / size)}
        stroke-linejoin="round"
      />
      <text
        x="12"
        y={severity === 2 ? 18.2 : 16.6}
        text-anchor="middle"
        fill={digit}
        font-size={severity === 2 ? 11.5 : 13}
        font-weight="700"
      >
        {severity}
      </text>
    </svg>
  );
}
