import type { Theme } from "../theme.ts";

/** Colours of the base map: look §5. High contrast uses the light map. */
export interface MapPalette {
  land: string;
  block: string;
  building: string;
  buildingEdge: string;
  green: string;
  trees: string;
  water: string;
  bank: string;
  road: { minor: string; secondary: string; primary: string };
  casing: { minor: string; secondary: string; primary: string };
  label: string;
  labelPrimary: string;
  halo: string;
  waterLabel: string;
  greenLabel: string;
  boundary: string;
  rail: string;
}

/** Colours of our own symbols where CSS cannot reach: look §2 and §4. */
export interface SymbolPalette {
  ink: string;
  onInk: string;
  aed: string;
  routeCasing: string;
  raised: string;
  bad: string;
  focus: string;
  halo: string;
  hexagonGap: string;
  gain: string;
}

const LIGHT: MapPalette = {
  land: "#EEEFED",
  block: "#F3F3F1",
  building: "#E2E3E2",
  buildingEdge: "#D6D8D7",
  green: "#D9E4D3",
  trees: "#CBDAC4",
  water: "#C3D4DF",
  bank: "#B2C6D3",
  road: { minor: "#FFFFFF", secondary: "#FFFFFF", primary: "#FFFFFF" },
  casing: { minor: "#DADCDC", secondary: "#CFD2D3", primary: "#C2C6C9" },
  label: "#59616A",
  labelPrimary: "#59616A",
  halo: "#F6F6F5",
  waterLabel: "#3F5C70",
  greenLabel: "#46603F",
  boundary: "#8A929B",
  rail: "#C9CCCD",
};

const DARK: MapPalette = {
  land: "#15191D",
  block: "#181C20",
  building: "#20262B",
  buildingEdge: "#2A3137",
  green: "#18231C",
  trees: "#1D2A22",
  water: "#0D2230",
  bank: "#143043",
  road: { minor: "#2A3137", secondary: "#323A41", primary: "#3D464E" },
  casing: { minor: "#15191D", secondary: "#12161A", primary: "#0F1316" },
  label: "#A0A9B3",
  labelPrimary: "#C6CDD4",
  halo: "#14181C",
  waterLabel: "#7FA6BF",
  greenLabel: "#8AA88E",
  boundary: "#5C6670",
  rail: "#2E353B",
};

const LIGHT_SYMBOLS: SymbolPalette = {
  ink: "#14181D",
  onInk: "#FFFFFF",
  aed: "#00734A",
  routeCasing: "#FFFFFF",
  raised: "#FFFFFF",
  bad: "#B00020",
  focus: "#0B5FFF",
  halo: "#FFFFFF",
  hexagonGap: "#FFFFFF",
  gain: "#1F5C86",
};

const DARK_SYMBOLS: SymbolPalette = {
  ink: "#EDF0F3",
  onInk: "#14181D",
  aed: "#3CCB94",
  routeCasing: "#0B0E11",
  raised: "#1E2429",
  bad: "#FF7A8A",
  focus: "#6EA8FF",
  halo: "#14181C",
  hexagonGap: "#14181C",
  gain: "#8FC1E3",
};

export const mapPalette = (theme: Theme): MapPalette => (theme === "dark" ? DARK : LIGHT);
export const symbolPalette = (theme: Theme): SymbolPalette =>
  theme === "dark" ? DARK_SYMBOLS : LIGHT_SYMBOLS;

/** Share covered, in five classes from 0–20 % to 80–100 %. */
export const COVERAGE_CLASSES = ["#F5E6CF", "#CBD7E0", "#9DBBCF", "#6595B7", "#2F6A94"] as const;
