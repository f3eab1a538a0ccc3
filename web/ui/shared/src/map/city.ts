/** What `/tiles/base.json` says: where the imported cities lie, and whose data they are. */

export interface City {
  name: string;
  title_zh: string;
  title_en: string;
  bounds: [west: number, south: number, east: number, north: number];
  centre: [lon: number, lat: number];
  attribution: string;
  time_zone: string;
  imported_at: string;
}

interface BaseMap {
  datasets: City[];
}

/** The cities of the base map, the first one first; none when the server cannot be reached. */
export async function loadCities(): Promise<City[]> {
  try {
    const answer = await fetch("/tiles/base.json");
    return answer.ok ? ((await answer.json()) as BaseMap).datasets : [];
  } catch {
    return [];
  }
}
