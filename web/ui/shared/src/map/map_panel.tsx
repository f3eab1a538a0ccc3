import { useEffect, useRef } from "preact/hooks";
import { currentLanguage, useLanguage } from "../language.ts";
import type { Point } from "../shapes.ts";
import { currentTheme, useTheme } from "../theme.ts";
import type { Ground } from "./city.ts";
import { type MapFrame, MapView } from "./map_view.ts";
import type { MapMarks, PickKind } from "./marks.ts";

interface Props {
  label: string;
  /** What the marks stand on; counts at the start only. */
  ground?: Ground;
  centre: [lon: number, lat: number];
  zoom: number;
  marks: Partial<MapMarks>;
  /** Called once with the view, for the camera. */
  onView?: (view: MapView) => void;
  onClick?: (position: Point) => void;
  onPick?: (kind: PickKind, id: string) => void;
  onGesture?: () => void;
  onMoved?: (frame: MapFrame) => void;
  onBaseMap?: (ok: boolean) => void;
}

/** A map that fills its box and draws the marks; `centre` and `zoom` count at the start only. */
export function MapPanel(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<MapView | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const theme = useTheme();
  const language = useLanguage();
  useEffect(() => {
    const container = box.current;
    if (!container) return;
    const { label, ground, centre, zoom } = latest.current;
    const made = new MapView({
      container,
      theme: currentTheme(),
      language: currentLanguage(),
      centre,
      zoom,
      label,
      ground,
      onClick: (position) => latest.current.onClick?.(position),
      onPick: (kind, id) => latest.current.onPick?.(kind, id),
      onGesture: () => latest.current.onGesture?.(),
      onMoved: (frame) => latest.current.onMoved?.(frame),
      onBaseMap: (ok) => latest.current.onBaseMap?.(ok),
    });
    view.current = made;
    latest.current.onView?.(made);
    return () => {
      view.current = null;
      made.remove();
    };
  }, []);
  useEffect(() => view.current?.setTheme(theme), [theme]);
  useEffect(() => view.current?.setLanguage(language), [language]);
  useEffect(() => view.current?.setMarks(props.marks), [props.marks]);
  return <div class="gm-map" ref={box} />;
}
