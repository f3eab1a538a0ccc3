import { floorText } from "@shared/floor.ts";
import { useWords } from "@shared/language.ts";
import { aedTitle } from "@shared/map/aed_title.ts";
import { Icon } from "@shared/parts/icon.tsx";
import type { MissionAed, Photo } from "@shared/shapes.ts";
import { useStore } from "@shared/store.ts";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { addPhoto, photos as sending } from "./aed_photos.ts";
import { type Device, inOrder, photoAddress } from "./device.ts";
import { BadPicture } from "./picture.ts";
import { Sheet } from "./sheet.tsx";

interface Props {
  aed: MissionAed;
  device: Device | null;
  onClose: () => void;
}

/** How to find this AED and open it: place, photos, cabinet, whom to call; and a photo of one's own. */
export function AedSheet({ aed, device, onClose }: Props) {
  const words = useWords().go.device;
  return (
    <Sheet title={aedTitle(aed)} onClose={onClose}>
      <div class="aed-sheet" data-testid="aed-sheet">
        <Facts aed={aed} device={device} />
        <Photos aed={aed.id} name={aed.name} photos={inOrder(device?.photos ?? unsorted(aed))} />
        <AddPhoto aed={aed.id} />
        <p class="hint">{words.noPeople}</p>
      </div>
    </Sheet>
  );
}

/** What the mission itself brings: ids in the right order, without size. */
const unsorted = ({ photos = [] }: MissionAed): Photo[] =>
  photos.map((id) => ({ id, kind: "surroundings", width: 4, height: 3 }));

function Facts({ aed, device }: { aed: MissionAed; device: Device | null }) {
  const all = useWords();
  const words = all.go.device;
  const cabinet = device?.cabinet ?? aed.cabinet;
  const how = [
    cabinet && cabinet !== "unknown" ? words.cabinet[cabinet] : null,
    device?.has_child_pads ? all.aed.childPads : null,
  ];
  const dialled = device?.phone?.replace(/[^\d+*#]/g, "");
  return (
    <dl class="facts aed-facts">
      <Fact label={words.floor}>{floorText(device?.floor ?? aed.floor, all)}</Fact>
      <Fact label={words.entrance}>{device?.entrance}</Fact>
      <Fact label={words.place}>{device ? device.location_note : aed.access_note}</Fact>
      <Fact label={words.address}>{device?.address ?? aed.address}</Fact>
      <Fact label={words.opens}>{[device?.hours_note, device?.closed_note].filter(Boolean).join(" · ")}</Fact>
      <Fact label={words.how}>{how.filter(Boolean).join(" · ")}</Fact>
      <Fact label={words.phone}>{dialled ? <a href={`tel:${dialled}`}>{device?.phone}</a> : null}</Fact>
    </dl>
  );
}

function Fact({ label, children }: { label: string; children: ComponentChildren }) {
  if (!children) return null;
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Photos({ aed, name, photos }: { aed: string; name: string; photos: Photo[] }) {
  const words = useWords().go.device;
  if (photos.length === 0) return <p class="hint">{words.noPhotos}</p>;
  return (
    <ul class="aed-photos" aria-label={words.photos}>
      {photos.map((photo) => (
        <li key={photo.id}>
          <a href={photoAddress(aed, photo.id)} target="_blank" rel="noreferrer">
            <img
              src={photoAddress(aed, photo.id)}
              alt={`${name}: ${words.photoOf[photo.kind]}`}
              width={photo.width}
              height={photo.height}
            />
          </a>
          <span aria-hidden="true">{words.photoOf[photo.kind]}</span>
        </li>
      ))}
    </ul>
  );
}

function AddPhoto({ aed }: { aed: string }) {
  const words = useWords().go.device;
  const { waiting, sent } = useStore(sending);
  const [before] = useState(sent);
  const [problem, setProblem] = useState("");
  const take = async (kind: Photo["kind"], input: HTMLInputElement) => {
    const [file] = input.files ?? [];
    if (!file) return;
    setProblem("");
    try {
      await addPhoto(aed, kind, file);
    } catch (error) {
      setProblem(error instanceof BadPicture ? words.badPicture : words.photoFailed);
    } finally {
      input.value = "";
    }
  };
  const said = problem || (waiting > 0 ? words.photoWaits(waiting) : sent > before ? words.photoSent : "");
  return (
    <>
      <p class="sheet-label">{words.addPhoto}</p>
      <div class="pair">
        {(["surroundings", "cabinet"] as const).map((kind) => (
          <label key={kind} class="phone-button camera">
            <input
              type="file"
              accept="image/*"
              capture="environment"
              data-testid={`photo-${kind}`}
              onChange={({ currentTarget }) => void take(kind, currentTarget)}
            />
            <Icon name="camera" size={20} />
            {words.take[kind]}
          </label>
        ))}
      </div>
      <p class="photo-said" role="status" data-testid="photo-said">
        {said}
      </p>
    </>
  );
}
