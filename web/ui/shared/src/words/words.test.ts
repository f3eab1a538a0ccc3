import { describe, expect, it } from "vitest";
import { en } from "./en.ts";
import { wordFor, zh } from "./zh.ts";

type Example = (...args: unknown[]) => unknown;

/** What a text with blanks says; a blank takes a number or a word. */
function example(text: Example): string {
  const given = (filling: unknown) => Array.from({ length: Math.max(1, text.length) }, () => filling);
  try {
    return String(text(...given(3)));
  } catch {
    return String(text(...given("3")));
  }
}

/** Every text with its place; functions are tried with an example. */
function texts(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function") return [[path, example(value as Example)]];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => texts(inner, `${path}.${key}`));
}

const shape = (value: unknown) => texts(value).map(([path]) => path);

describe("words", () => {
  it("stand in both languages under the same keys", () => {
    expect(shape(en).sort()).toEqual(shape(zh).sort());
  });
  it("use full-width commas, colons and question marks between Chinese characters", () => {
    const wrong = texts(zh).filter(([, text]) =>
      /\p{Script=Han}[,:;?!()]|[,:;?!()]\p{Script=Han}/u.test(text),
    );
    expect(wrong).toEqual([]);
  });
  it("carry no exclamation marks and no emoji", () => {
    const loud = [...texts(zh), ...texts(en)].filter(([, text]) =>
      /[!！]|\p{Extended_Pictographic}/u.test(text),
    );
    expect(loud).toEqual([]);
  });
});

describe("wordFor", () => {
  it("shows a code that is newer than the page as it is", () => {
    expect(wordFor(zh.domain.reason, "busy")).toBe("任务中");
    expect(wordFor(zh.domain.reason, "on_the_moon")).toBe("on_the_moon");
    expect(wordFor(zh.domain.reason, null)).toBe("");
  });
});
