import { zh } from "@shared/words/zh.ts";
import { describe, expect, it } from "vitest";
import { paperOf } from "./certificate.ts";

const now = Date.parse("2026-11-22T12:00:00");
const say = (...held: { expires_on?: string; status?: string }[]) =>
  paperOf(
    held.map((one) => ({ kind: "first_aid", ...one })),
    zh,
    now,
  );

describe("paperOf", () => {
  it("goes by the one that is valid longest", () => {
    expect(say({ expires_on: "2026-11-20" }, { expires_on: "2028-01-01" }).text).toBe("有效至 2028-01-01");
    expect(say({ expires_on: "2026-11-20" })).toMatchObject({ text: "2026-11-20 已到期", bad: true });
    expect(say({ expires_on: "2026-12-02" })).toMatchObject({ text: "10 天后到期", bad: true });
    expect(say({ expires_on: "2026-11-22" }).text).toBe("0 天后到期");
  });
  it("counts nothing that nobody has looked at, and says that it waits", () => {
    expect(say({ expires_on: "2028-01-01", status: "pending" }).text).toBe("未登记 · 待核对");
    expect(say({ expires_on: "2028-01-01", status: "revoked" })).toMatchObject({ text: "未登记", bad: true });
    expect(say({ expires_on: "2028-01-01" }, { expires_on: "2030-01-01", status: "pending" }).text).toBe(
      "有效至 2028-01-01",
    );
  });
  it("takes one without an end for valid", () => {
    expect(say({})).toMatchObject({ text: "有效", bad: false });
    expect(say().bad).toBe(true);
  });
});
