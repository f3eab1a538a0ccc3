// Evaluates opening hours with the JavaScript library: JSON lines in, JSON lines out.
// Run it in web/ui with TZ=UTC: every time is the clock on the wall, with no zone.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const load = createRequire(`${process.cwd()}/package.json`);
const library = load("opening_hours");
const OpeningHours = library.opening_hours ?? library.default ?? library;

const minutes = (from, to) => Math.round((to - from) / 60_000);

function answer({ hours, country, weeks }) {
  const place = { lat: 0, lon: 0, address: { country_code: country, state: "" } };
  const evaluator = new OpeningHours(hours, place);
  return weeks.map((week) => {
    const from = new Date(`${week.from}T00:00`);
    const to = new Date(from.getTime() + week.days * 86_400_000);
    return evaluator
      .getOpenIntervals(from, to)
      .map(([begin, end, unknown]) => [minutes(from, begin), minutes(from, end), unknown]);
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  let found;
  try {
    found = { spans: answer(JSON.parse(line)) };
  } catch (error) {
    found = { error: String(error) };
  }
  console.log(JSON.stringify(found));
}
