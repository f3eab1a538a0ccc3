import { describe, expect, it } from "vitest";
import { commandKey, isComposing, type KeyPress } from "./keys.ts";

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
  key,
  code: "",
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  shiftKey: false,
  isComposing: false,
  keyCode: 0,
  ...more,
});

describe("command keys", () => {
  it.each([
    ["n", {}, "N"],
    ["1", {}, "1"],
    ["/", { code: "Slash" }, "/"],
    ["?", { code: "Slash", shiftKey: true }, "?"],
    ["F2", {}, "F2"],
    ["Enter", {}, "Enter"],
    ["Enter", { ctrlKey: true }, "Ctrl+Enter"],
    ["Enter", { metaKey: true }, "Ctrl+Enter"],
  ] as const)("%s %o is %s", (key, more, command) => {
    expect(commandKey(press(key, more))).toBe(command);
  });
  it.each([
    ["、", "Slash", false, "/"],
    ["／", "Slash", false, "/"],
    ["？", "Slash", true, "?"],
    ["ｎ", "KeyN", false, "N"],
    ["１", "Digit1", false, "1"],
  ] as const)("reads %s of a Chinese input method", (key, code, shiftKey, command) => {
    expect(commandKey(press(key, { code, shiftKey }))).toBe(command);
  });
  it("goes by the letter on keyboards with another order, and by the place in another script", () => {
    expect(commandKey(press("a", { code: "KeyQ" }))).toBe("A");
    expect(commandKey(press("т", { code: "KeyN" }))).toBe("N");
    expect(commandKey(press("!", { code: "Slash" }))).toBeNull();
  });
  it("leaves the browser's own keys alone", () => {
    expect(commandKey(press("n", { ctrlKey: true }))).toBeNull();
    expect(commandKey(press("n", { altKey: true }))).toBeNull();
    expect(commandKey(press("F5"))).toBeNull();
    expect(commandKey(press("N", { shiftKey: true }))).toBeNull();
  });
});

describe("composition", () => {
  it("never fires a command, not even by the Enter that ends it", () => {
    expect(commandKey(press("n", { isComposing: true }))).toBeNull();
    expect(commandKey(press("Enter", { isComposing: true }))).toBeNull();
    expect(commandKey(press("Enter", { keyCode: 229 }))).toBeNull();
    expect(isComposing(press("Process", { keyCode: 229 }))).toBe(true);
  });
});
