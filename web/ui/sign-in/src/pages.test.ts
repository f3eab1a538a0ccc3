import { describe, expect, it } from "vitest";
import { destination, pagesFor } from "./pages.ts";

describe("after signing in", () => {
  it("people go where they work", () => {
    expect(destination(["operator"], null)).toBe("/console");
    expect(destination(["responder"], null)).toBe("/go");
    expect(destination(["planner"], null)).toBe("/planner");
    expect(destination([], null)).toBeNull();
  });
  it("they go where they wanted, if they may", () => {
    expect(destination(["operator", "responder"], "/go")).toBe("/go");
    expect(destination(["operator"], "/console?incident=1")).toBe("/console?incident=1");
    expect(destination(["responder"], "/console")).toBe("/go");
  });
  it("nobody is led away from this site", () => {
    for (const bad of ["https://example.org/console", "//example.org", "/consolex", "javascript:alert(1)"]) {
      expect(destination(["operator"], bad)).toBe("/console");
    }
  });
  it("every role has at most one page, and staff pages come first", () => {
    expect(pagesFor(["responder", "planner", "admin", "operator"])).toEqual(["console", "planner", "go"]);
  });
});
