import { useWords } from "../language.ts";
import { Keycap } from "../parts/controls.tsx";
import { Icon } from "../parts/icon.tsx";
import { useStore } from "../store.ts";
import { publicGround } from "./city.ts";
import type { MapFrame, MapView } from "./map_view.ts";

/** Zoom and centre buttons; `centreKey` shows the key where it works. */
export function MapZoom(props: { view: MapView | null; onCentre?: () => void; centreKey?: string }) {
  const words = useWords().parts.map;
  return (
    <div class="gm-float gm-zoom">
      <button
        type="button"
        aria-label={words.zoomIn}
        title={words.zoomIn}
        onClick={() => props.view?.zoomBy(1)}
      >
        <Icon name="plus" size={18} />
      </button>
      <button
        type="button"
        aria-label={words.zoomOut}
        title={words.zoomOut}
        onClick={() => props.view?.zoomBy(-1)}
      >
        <Icon name="minus" size={18} />
      </button>
      {props.onCentre ? (
        <button type="button" aria-label={words.centre} title={words.centre} onClick={props.onCentre}>
          <Icon name="target" size={18} />
          {props.centreKey ? <Keycap>{props.centreKey}</Keycap> : null}
        </button>
      ) : null}
    </div>
  );
}

/** Scale, map number, datum, source and age of positions: always at the bottom left. */
export function MapFoot(props: {
  frame: MapFrame | null;
  baseMapOk: boolean;
  attribution?: string;
  positions?: string | null;
  mapNumber?: string | null;
}) {
  const words = useWords().parts.map;
  const { reviewNumber } = useStore(publicGround);
  const number = reviewNumber ? words.reviewNumber(reviewNumber) : props.mapNumber;
  const scale = props.frame ? scaleFor(props.frame.metresPerPixel) : null;
  return (
    <div class="gm-float gm-map-foot">
      {scale ? (
        <span class="gm-scale">
          <i style={{ width: `${scale.pixels}px` }} />
          {scale.text}
        </span>
      ) : null}
      {props.baseMapOk ? null : <b role="status">{words.offline}</b>}
      {number ? <span>{number}</span> : null}
      <span>WGS-84</span>
      {props.positions ? <span>{props.positions}</span> : null}
      <a href="https://www.openstreetmap.org/copyright" target="_blank" rel="noreferrer">
        {props.attribution ?? "© OpenStreetMap contributors"}
      </a>
    </div>
  );
}

/** The longest round distance that fits into about 90 pixels. */
export function scaleFor(metresPerPixel: number): { pixels: number; text: string } {
  const most = metresPerPixel * 92;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = ([5, 2, 1].find((step) => step * power <= most) ?? 1) * power;
  const text = metres >= 1000 ? `${metres / 1000} km` : `${metres} m`;
  return { pixels: Math.round(metres / metresPerPixel), text };
}
