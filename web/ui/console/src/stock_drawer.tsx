import { get, newKey, post } from "@shared/api.ts";
import { useLanguage, useWords } from "@shared/language.ts";
import { Button } from "@shared/parts/controls.tsx";
import type { Incident, Nearest, NearestProperties, Page, Reservation } from "@shared/shapes.ts";
import { useEffect, useRef, useState } from "preact/hooks";
import { nameIn } from "./names.ts";
import { complain, problemText, say } from "./toast.ts";

interface Item {
  id: string;
  code: string;
  name_zh: string;
  name_en: string;
  unit_zh: string;
  unit_en: string;
  available: number;
}

type DepotFeature = Nearest<NearestProperties>["features"][number];

/** Reserve stock for the incident: which item, how many, and the nearest depots that have it. */
export function StockDrawer({ incident, reservations }: { incident: Incident; reservations: Reservation[] }) {
  const words = useWords().incident.stock;
  const latin = useLanguage() === "en";
  const { items, item, setItem, quantity, setQuantity, depots } = useStock(incident, reservations.length);
  if (items !== null && items.length === 0) return <p class="drawer">{words.empty}</p>;
  return (
    <section class="drawer" aria-label={words.title}>
      <h2>
        {words.title}
        <span>{words.nearest}</span>
      </h2>
      <div class="row">
        <label class="gm-field">
          <span class="unit">{words.item}</span>
          <select value={item?.code} onChange={(event) => setItem(event.currentTarget.value)}>
            {(items ?? []).map((one) => (
              <option key={one.id} value={one.code}>
                {latin ? one.name_en : one.name_zh}
              </option>
            ))}
          </select>
        </label>
        <label class="gm-field narrow">
          <span class="unit">{words.quantity}</span>
          <input
            inputMode="numeric"
            value={quantity}
            onInput={(event) => setQuantity(event.currentTarget.value)}
          />
        </label>
      </div>
      {item ? (
        <DepotList incident={incident} item={item} quantity={Number(quantity) || 1} depots={depots} />
      ) : null}
      {reservations.map((reservation) => (
        <ReservationRow key={reservation.id} reservation={reservation} latin={latin} />
      ))}
    </section>
  );
}

function useStock(incident: Incident, changes: number) {
  const [items, setItems] = useState<Item[] | null>(null);
  const [code, setItem] = useState<string | null>(null);
  const [quantity, setQuantity] = useState("1");
  const [depots, setDepots] = useState<DepotFeature[] | null>(null);
  useEffect(() => {
    get<Page<Item>>("/items")
      .then((page) => setItems(page.items))
      .catch(complain);
  }, []);
  const item = items?.find((one) => one.code === code) ?? items?.[0] ?? null;
  const wanted = item?.code ?? "";
  useEffect(() => {
    if (!wanted) return;
    const [lon, lat] = incident.position.coordinates;
    get<Nearest<NearestProperties>>("/nearest/depots", {
      lon,
      lat,
      item: wanted,
      quantity: Number(quantity) || 1,
      limit: 3,
    })
      .then((found) => setDepots(found.features))
      .catch(complain);
  }, [wanted, quantity, incident.id, changes]);
  return { items, item, setItem, quantity, setQuantity, depots };
}

interface DepotListProps {
  incident: Incident;
  item: Item;
  quantity: number;
  depots: DepotFeature[] | null;
}

function DepotList({ incident, item, quantity, depots }: DepotListProps) {
  const words = useWords();
  const latin = useLanguage() === "en";
  const [failed, setFailed] = useState<string | null>(null);
  const keys = useRef(new Map<string, string>());
  const reserve = async (depot: string) => {
    const choice = `${depot} ${item.code} ${quantity}`;
    const key = keys.current.get(choice) ?? newKey();
    keys.current.set(choice, key);
    try {
      await post("/reservations", { incident: incident.id, item: item.code, quantity, depot }, { key });
      // Reserved: the same again would be another wish.
      keys.current.delete(choice);
      setFailed(null);
      say(words.console.done.reserved);
    } catch (error) {
      setFailed(problemText(error));
    }
  };
  if (!depots) return null;
  if (depots.length === 0) return <p class="gm-error">{words.incident.stock.none}</p>;
  return (
    <>
      {depots.map(({ id, properties }) => (
        <div class="row" key={id} style={{ minHeight: "36px" }}>
          <span class="ellipsis" style={{ flex: 1 }}>
            {[
              nameIn({ name: properties.name, name_en: properties.name_en as string | null }, latin),
              words.parts.metres(properties.distance_m),
              properties.available === undefined
                ? ""
                : words.incident.stock.available(properties.available, latin ? item.unit_en : item.unit_zh),
            ]
              .filter(Boolean)
              .join(" · ")}
          </span>
          <Button size="small" onClick={() => void reserve(id)}>
            {words.incident.stock.reserve}
          </Button>
        </div>
      ))}
      {failed ? (
        <p class="gm-error" role="alert">
          {failed}
        </p>
      ) : null}
    </>
  );
}

function ReservationRow({ reservation, latin }: { reservation: Reservation; latin: boolean }) {
  const words = useWords().incident.stock;
  const { id, status, quantity } = reservation;
  const item = nameIn({ name: reservation.item_name, name_en: reservation.item_name_en }, latin);
  const depot = nameIn({ name: reservation.depot_name, name_en: reservation.depot_name_en }, latin);
  const act = (verb: "issue" | "release") => post(`/reservations/${id}/${verb}`).catch(complain);
  const states = {
    active: words.reserved,
    issued: words.issued,
    released: words.released,
    expired: words.released,
  };
  return (
    <div class="row" style={{ minHeight: "32px" }}>
      <span class="ellipsis" style={{ flex: 1 }}>
        {`${item} ${quantity} ${(latin ? reservation.unit_en : null) ?? reservation.unit} · ${depot} · ${states[status]}`}
      </span>
      {status === "active" ? (
        <>
          <Button size="small" onClick={() => void act("issue")}>
            {words.issue}
          </Button>
          <Button size="small" look="ghost" onClick={() => void act("release")}>
            {words.release}
          </Button>
        </>
      ) : null}
    </div>
  );
}
