import { describe, expect, it } from "vitest";
import { deadlineOf, ringShare, secondsLeft } from "./countdown.ts";

describe("countdown", () => {
  it.each([
    [0, 60],
    [1, 60],
    [12_999, 48],
    [13_000, 47],
    [59_001, 1],
    [60_000, 0],
    [90_000, 0],
  ])("after %d ms of 60 s leaves %d s", (passed, left) => {
    const deadline = deadlineOf(60_000, 60_000, 5_000);
    expect(secondsLeft(deadline, 5_000 + passed)).toBe(left);
  });

  it("starts from what is left, not from the whole", () => {
    const deadline = deadlineOf(30_000, 60_000, 100);
    expect(ringShare(deadline, 100)).toBe(0.5);
    expect(ringShare(deadline, 100 + 30_000)).toBe(0);
  });

  it("never draws more than a full ring", () => {
    expect(ringShare(deadlineOf(60_000, 10_000, 0), 0)).toBe(1);
    expect(ringShare(deadlineOf(-5, 0, 0), 0)).toBe(0);
  });
});
