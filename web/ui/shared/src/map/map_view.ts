import "maplibre-gl/dist/maplibre-gl.css";
import "./map.css";
import {
  type GeoJSONSource,
  LngLatBounds,
  Map as MapLibreMap,
  type MapMouseEvent,
  type StyleSpecification,
  setWorkerUrl,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import type { Language } from "../language.ts";
import type { Point } from "../shapes.ts";
import type { Theme } from "../theme.ts";
import { AED_TILES, aedTileLayers, aedTileSource, isAedTileLayer } from "./aed_tile_layers.ts";
import { type Ground, OWN_GROUND } from "./city.ts";
import { groundLabels, groundLayers, groundSources } from "./ground.ts";
import { hexagonDigits, hexagonLayers } from "./hexagon_layers.ts";
import { addMapImages } from "./map_images.ts";
import { MarkerLayer } from "./marker_layer.tsx";
import { type MapMarks, NO_MARKS, type PickKind } from "./marks.ts";
import { overlayData, overlayLayers, overlaySources } from "./overlay_layers.ts";
import { mapPalette, symbolPalette } from "./palette.ts";

setWorkerUrl(workerUrl);

export interface MapViewOptions {
  container: HTMLElement;
  theme: Theme;
  language: Language;
  centre: [lon: number, lat: number];
  zoom: number;
  /** Names the map for assistive technology. */
  label: string;
  /** What the marks stand on; our own base map when left out. */
  ground?: Ground;
  onClick?: (position: Point) => void;
  onPick?: (kind: PickKind, id: string) => void;
  /** Someone moved the map by hand. */
  onGesture?: () => void;
  onMoved?: (frame: MapFrame) => void;
  /** Whether the base map's tiles arrive. */
  onBaseMap?: (ok: boolean) => void;
}

export interface MapFrame {
  centre: [number, number];
  zoom: number;
  bounds: [west: number, south: number, east: number, north: number];
  metresPerPixel: number;
}

export interface Camera {
  centre: [number, number];
  zoom: number;
}

const CAMERA_MS = 400;

/** The only code that touches MapLibre: it draws marks and reports what people do. */
export class MapView {
  private readonly map: MapLibreMap;
  private readonly markers: MarkerLayer;
  private readonly options: MapViewOptions;
  private marks: MapMarks = NO_MARKS;
  private drawn: Record<string, unknown> = {};
  private readonly ground: Ground;
  private theme: Theme;
  private language: Language;
  private ready = false;
  private readonly resize: ResizeObserver;

  constructor(options: MapViewOptions) {
    this.options = options;
    this.ground = options.ground ?? OWN_GROUND;
    this.theme = options.theme;
    this.language = options.language;
    this.map = new MapLibreMap({
      container: options.container,
      style: this.style(),
      center: options.centre,
      zoom: options.zoom,
      maxZoom: 19.5,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      fadeDuration: 120,
      locale: { "Map.Title": options.label },
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.markers = new MarkerLayer(this.map, (kind, id) => options.onPick?.(kind, id));
    this.resize = new ResizeObserver(() => this.map.resize());
    this.resize.observe(options.container);
    this.listen();
  }

  /** Draw these marks; what is the same object as before is not drawn again. */
  setMarks(marks: Partial<MapMarks>): void {
    const hadTiles = this.marks.aedTiles;
    this.marks = { ...this.marks, ...marks };
    if (this.ready && hadTiles !== this.marks.aedTiles) this.showAedTiles();
    this.markers.set(this.marks);
    this.fillSources();
  }

  /** Ask again for the AEDs that are drawn from tiles. */
  refreshAeds(): void {
    if (this.ready && this.marks.aedTiles) this.map.refreshTiles(AED_TILES);
  }

  setTheme(theme: Theme): void {
    if (theme === this.theme) return;
    this.theme = theme;
    this.restyle();
  }

  setLanguage(language: Language): void {
    if (language === this.language) return;
    this.language = language;
    this.restyle();
  }

  /** Bring all these places into view; padding keeps them clear of what floats over the map. */
  fit(positions: readonly Point[], options: { maxZoom?: number; padding?: number | Padding } = {}): void {
    const [first, ...rest] = positions;
    if (!first) return;
    const bounds = new LngLatBounds(first.coordinates, first.coordinates);
    for (const position of rest) bounds.extend(position.coordinates);
    const { maxZoom = 17, padding = 80 } = options;
    this.map.fitBounds(bounds, { padding, maxZoom, duration: CAMERA_MS });
  }

  goTo(centre: [number, number], zoom?: number): void {
    this.map.easeTo({ center: centre, zoom: zoom ?? this.map.getZoom(), duration: CAMERA_MS });
  }

  zoomBy(step: number): void {
    this.map.easeTo({ zoom: this.map.getZoom() + step, duration: 200 });
  }

  camera(): Camera {
    return { centre: this.map.getCenter().toArray(), zoom: this.map.getZoom() };
  }

  frame(): MapFrame {
    const bounds = this.map.getBounds();
    const centre = this.map.getCenter();
    const metresPerPixel =
      (Math.cos((centre.lat * Math.PI) / 180) * 40_075_016.7) / (512 * 2 ** this.map.getZoom());
    return {
      centre: centre.toArray(),
      zoom: this.map.getZoom(),
      bounds: [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()],
      metresPerPixel,
    };
  }

  remove(): void {
    this.resize.disconnect();
    this.markers.set(NO_MARKS);
    this.map.remove();
  }

  private style(): StyleSpecification {
    return {
      version: 8,
      sources: {
        ...groundSources(this.ground),
        ...overlaySources(),
        [AED_TILES]: aedTileSource(),
      },
      layers: [
        ...groundLayers(this.ground, mapPalette(this.theme)),
        ...hexagonLayers(symbolPalette(this.theme)),
        ...groundLabels(this.ground, mapPalette(this.theme), this.language),
        hexagonDigits(symbolPalette(this.theme)),
        ...aedTileLayers(symbolPalette(this.theme), this.marks.aedTiles),
        ...overlayLayers(symbolPalette(this.theme)),
      ],
    };
  }

  private restyle(): void {
    this.ready = false;
    this.map.setStyle(this.style(), { diff: false });
  }

  private listen(): void {
    const { options, map } = this;
    // Reading data-ready tells a test that the map has drawn what it has.
    map.on("idle", () => options.container.setAttribute("data-map", "idle"));
    map.on("style.load", () => void this.onStyle());
    map.on("click", (event) => this.onClick(event));
    map.on("movestart", (event) => event.originalEvent && options.onGesture?.());
    map.on("moveend", () => {
      this.markers.spread();
      options.onMoved?.(this.frame());
    });
    map.on("load", () => options.onMoved?.(this.frame()));
    map.on("error", (event) => {
      if ("sourceId" in event && event.sourceId === "base") options.onBaseMap?.(false);
    });
    map.on("sourcedata", (event) => {
      if (event.sourceId === "base" && event.tile) options.onBaseMap?.(true);
    });
  }

  private async onStyle(): Promise<void> {
    await addMapImages(this.map, symbolPalette(this.theme), mapPalette(this.theme).bank);
    this.ready = true;
    this.drawn = {};
    this.showAedTiles();
    this.fillSources();
  }

  private showAedTiles(): void {
    const visibility = this.marks.aedTiles ? "visible" : "none";
    for (const { id } of this.map.getStyle().layers) {
      if (isAedTileLayer(id)) this.map.setLayoutProperty(id, "visibility", visibility);
    }
  }

  private fillSources(): void {
    if (!this.ready) return;
    for (const [name, data] of Object.entries(overlayData(this.marks))) {
      const text = JSON.stringify(data);
      if (this.drawn[name] === text) continue;
      this.drawn[name] = text;
      this.map.getSource<GeoJSONSource>(name)?.setData(data);
    }
  }

  private onClick(event: MapMouseEvent): void {
    const layers = ["aed-plan", "aed", "aed-cluster", "aed-tile", "aed-tile-cluster"];
    const [hit] = this.map.queryRenderedFeatures(event.point, { layers });
    if (hit?.layer.id.endsWith("-cluster")) {
      this.goTo([event.lngLat.lng, event.lngLat.lat], this.map.getZoom() + 2);
    } else if (hit && typeof hit.properties.id === "string") {
      this.options.onPick?.("aed", hit.properties.id);
    } else {
      this.options.onClick?.({ type: "Point", coordinates: [event.lngLat.lng, event.lngLat.lat] });
    }
  }
}

interface Padding {
  top: number;
  right: number;
  bottom: number;
  left: number;
}
