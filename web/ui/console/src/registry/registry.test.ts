import type { OwnAed, Upload, Volunteer } from "@shared/shapes.ts";
import { zh } from "@shared/words/zh.ts";
import { describe, expect, it } from "vitest";
import {
  AED_FIELDS,
  AED_GROUPS,
  daysUntil,
  dueText,
  reasonText,
  usableText,
  valueText,
} from "./aed_words.ts";
import {
  allOf,
  changesOf,
  conflictsOf,
  type FieldSpec,
  missingOf,
  textsOf,
  withEdits,
} from "./field_values.ts";
import {
  asAsked,
  askedToo,
  fieldRows,
  keptThatFit,
  layoutColumns,
  rowsText,
  samplesOf,
} from "./import_words.ts";
import { certificateState, papersOf } from "./person_words.ts";
import { formatHash, parseHash } from "./route.ts";

describe("route", () => {
  it("reads what it writes", () => {
    for (const hash of [
      "#aeds",
      "#aeds/reports/a1",
      "#people/teams/new",
      "#import/9",
      "#aeds/x?trust=suspect&tab=checks",
    ]) {
      const route = parseHash(hash);
      expect(route && formatHash(route)).toBe(hash);
    }
  });
  it("knows only the pages of the registry, and each page's own second list", () => {
    expect(parseHash("")).toBeNull();
    expect(parseHash("#board")).toBeNull();
    expect(parseHash("#people/reports")).toMatchObject({ part: null, item: "reports" });
    expect(parseHash("#aeds/%E0%A4%A")).toMatchObject({ page: "aeds", item: "%E0%A4%A" });
  });
  it("leaves empty filters out", () => {
    expect(formatHash({ page: "aeds", part: null, item: null, filters: { trust: "", due: "true" } })).toBe(
      "#aeds?due=true",
    );
  });
});

const SPECS: readonly FieldSpec[] = [
  { name: "name", kind: "text", required: true },
  { name: "indoor", kind: "yesno" },
  { name: "every", kind: "number" },
  { name: "at", kind: "time" },
  { name: "skills", kind: "words" },
];
const THING = { name: "A", indoor: null, every: 30, at: "2026-11-22T08:30:00Z", skills: ["cpr", "nurse"] };

describe("fields", () => {
  const saved = textsOf(SPECS, THING);
  const edit = (name: string, text: string, base = saved[name] ?? "") => ({ [name]: { text, base } });
  it("send only what changed, in the server's values", () => {
    const edits = {
      ...edit("indoor", "no"),
      ...edit("every", ""),
      ...edit("skills", "nurse，doctor"),
      ...edit("name", "A"),
    };
    expect(changesOf(SPECS, saved, edits)).toEqual({
      indoor: false,
      every: null,
      skills: ["nurse", "doctor"],
    });
  });
  it("give a time back as the same instant", () => {
    const texts = withEdits(saved, { ...edit("name", "B") });
    expect(allOf(SPECS, texts)).toMatchObject({ name: "B", at: "2026-11-22T08:30:00.000Z", every: 30 });
  });
  it("leave a number that is none for the server to refuse", () => {
    expect(changesOf(SPECS, saved, edit("every", "often"))).toEqual({ every: "often" });
  });
  it("name what is required and not said", () => {
    expect(missingOf(SPECS, { ...saved, name: "  " })).toEqual(["name"]);
  });
  it("show another's change beside what was typed, and nowhere else", () => {
    const now = textsOf(SPECS, { ...THING, name: "C", every: 60 });
    expect(conflictsOf(now, edit("name", "B"))).toEqual({ name: "C" });
    expect(withEdits(now, edit("name", "B"))).toMatchObject({ name: "B", every: "60" });
    expect(conflictsOf(now, edit("name", "C"))).toEqual({});
  });
});

const NOW = Date.parse("2026-11-22T10:00:00");
const aed = (facts: Partial<OwnAed>): OwnAed =>
  ({
    status: "in_service",
    usable: "yes",
    usable_reason: "always_open",
    check_due_at: null,
    ...facts,
  }) as OwnAed;

describe("what is said of an AED", () => {
  it("counts days by the calendar", () => {
    expect(daysUntil("2026-11-22", NOW)).toBe(0);
    expect(daysUntil("2026-11-21", NOW)).toBe(-1);
    expect(daysUntil("2027-02-20", NOW)).toBe(90);
    expect(daysUntil(null, NOW)).toBeNull();
  });
  it("says why, and a code that is newer than the page as it is", () => {
    expect(usableText(aed({}), zh)).toBe("现在可用 · 全天开放");
    expect(usableText(aed({ status: "out_of_service" }), zh)).toBe("停用");
    expect(usableText(aed({ usable: "unknown", usable_reason: "on_the_moon" }), zh)).toBe(
      "不明 · on_the_moon",
    );
  });
  it("tells of a check within a week, and when it is late", () => {
    expect(dueText(aed({ check_due_at: "2026-12-30T00:00:00Z" }), zh, NOW)).toBeNull();
    expect(dueText(aed({ check_due_at: "2026-11-25T12:00:00Z" }), zh, NOW)?.isLate).toBe(false);
    expect(dueText(aed({ check_due_at: "2026-11-12T12:00:00Z" }), zh, NOW)).toEqual({
      text: "检查逾期 10 天",
      isLate: true,
    });
  });
  it("reads the history's reasons and values", () => {
    expect(reasonText("checked: ok", zh)).toBe("检查");
    expect(reasonText("report accepted: moved", zh)).toBe("处理报告");
    expect(reasonText("no longer in osm", zh)).toBe("OpenStreetMap 更新");
    expect(valueText("cabinet", "code", zh.registry)).toBe("密码柜");
    expect(valueText("position", { type: "Point", coordinates: [7.42, 43.735] }, zh.registry)).toBe(
      "43.73500, 7.42000",
    );
    expect(valueText("brand", null, zh.registry)).toBe("空");
  });
  it("has each field in one group, with a word for it", () => {
    const grouped = AED_GROUPS.flatMap(([, names]) => names);
    expect([...grouped].sort()).toEqual(AED_FIELDS.map(({ name }) => name).sort());
    expect(grouped.filter((name) => !zh.registry.aed.fields[name])).toEqual([]);
  });
});

describe("what is said of a volunteer", () => {
  const paper = (expires_on: string, status = "verified") =>
    ({ id: expires_on, kind: "first_aid", expires_on, status }) as Volunteer["certificates"][number];
  const person = (...certificates: Volunteer["certificates"]) => ({ certificates }) as Volunteer;
  it("puts what has to be done first", () => {
    expect(papersOf(person(), zh.registry, NOW).text).toBe("没有有效证书");
    expect(papersOf(person(paper("2029-01-01"), paper("2030-01-01", "pending")), zh.registry, NOW).text).toBe(
      "待审核",
    );
    expect(papersOf(person(paper("2026-11-20"), paper("2026-12-22")), zh.registry, NOW)).toEqual({
      text: "剩 30 天",
      isWarning: true,
    });
    expect(papersOf(person(paper("2027-11-22")), zh.registry, NOW).isWarning).toBe(false);
  });
  it("says what a certificate is worth now", () => {
    expect(certificateState(paper("2026-11-20"), zh.registry, NOW).text).toBe("已到期 · 已过 2 天");
    expect(certificateState(paper("2029-01-01", "revoked"), zh.registry, NOW).text).toBe("已作废");
  });
});

describe("a list that was sent in", () => {
  const feature = (row: number, name: string) => ({
    type: "Feature" as const,
    geometry: { type: "Point" as const, coordinates: [row, 0] },
    properties: { row, name, outcome: "added" },
  });
  const preview = (features: ReturnType<typeof feature>[]) => ({
    preview: { type: "FeatureCollection" as const, features },
  });
  it("names rows by ranges", () => {
    expect(rowsText([2, 3, 4, 9, 11, 12])).toBe("2–4, 9, 11–12");
    expect(rowsText(Array.from({ length: 40 }, (_, i) => i * 2))).toMatch(/22 …$/);
  });
  it("asks with three places that have names and lie apart in the list", () => {
    const many = [feature(1, ""), ...[2, 3, 4, 5, 6].map((row) => feature(row, `place ${row}`))];
    expect(samplesOf(preview(many)).map(({ properties }) => properties.row)).toEqual([2, 4, 6]);
    expect(samplesOf(preview([feature(7, "")]))).toHaveLength(1);
    expect(samplesOf(preview([]))).toEqual([]);
  });
  it("shows what is asked before the answer, and loses nothing of what is asked meanwhile", () => {
    const upload = {
      fields: [{ name: "name" }, { name: "floor" }, { name: "lat" }],
      mapping: { name: "A", lat: "B" },
      options: { crs: "wgs84", layout: null },
    } as unknown as Upload;
    const both = askedToo(askedToo(null, { columns: { name: "C" } }), {
      columns: { lat: null },
      crs: "bd09",
    });
    expect(both).toEqual({ columns: { name: "C", lat: null }, crs: "bd09" });
    expect(asAsked(upload, both)).toMatchObject({
      mapping: { name: "C" },
      options: { crs: "bd09", layout: null },
    });
    expect(asAsked(upload, both).mapping).not.toHaveProperty("lat");
    expect(askedToo(both, { layout: "x" })).toEqual({ crs: "bd09", layout: "x" });
    expect(asAsked(upload, null)).toBe(upload);
    expect(layoutColumns(upload)).toEqual({ name: "A", floor: [], lat: "B" });
  });
  it("offers kept layouts that fit first, each name once", () => {
    const kept = (name: string, column: string) => ({
      id: column,
      kind: "aeds" as const,
      name,
      columns: { a: column },
    });
    const all = [
      kept("x", "gone"),
      kept("y", "A"),
      kept("y", "gone too"),
      { ...kept("z", ""), columns: { a: [] } },
    ];
    expect(keptThatFit(all, ["A"]).map(({ name }) => name)).toEqual(["y", "z", "x"]);
  });
  it("shows each field with its column and what stands there", () => {
    const upload = {
      fields: [
        { name: "name", zh: "名称", en: "Name", is_required: true },
        { name: "address", zh: "地址", en: "Address", is_required: false },
        { name: "floor", zh: "楼层", en: "Floor", is_required: false },
      ],
      mapping: { name: "A", address: ["B", "C"] },
      sample: [
        { A: "x", B: "", C: "" },
        { A: "y", B: "", C: "z" },
      ],
    } as unknown as Upload;
    expect(fieldRows(upload, true)).toMatchObject([
      { label: "Name", column: "A", example: "x", isRequired: true },
      { label: "Address", column: "B + C", isSeveral: true, example: "z" },
      { label: "Floor", column: "", example: "" },
    ]);
  });
});
