/** What the server sends, as the API and the live log describe it. Times are RFC 3339 in UTC. */

export type * from "./shapes/decisions.ts";
export type * from "./shapes/incident_life.ts";
export type * from "./shapes/incidents.ts";
export type * from "./shapes/office.ts";
export type * from "./shapes/people.ts";
export type * from "./shapes/places.ts";
export type * from "./shapes/registry.ts";
export type * from "./shapes/words.ts";
