import { describe, expect, it } from "vitest";
import { dayName, duration } from "../src/lib/time";

describe("duration", () => {
  it.each([
    [0, "0:00"],
    [7.9, "0:07"],
    [61, "1:01"],
    [3_600, "1:00:00"],
    [37_815, "10:30:15"],
    [-5, "0:00"],
  ])("of %d seconds is %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

describe("dayName", () => {
  const noon = new Date(2026, 2, 15, 12).getTime();
  const hours = (count: number): number => count * 3_600_000;

  it("knows today and yesterday by the calendar, not by 24 hours", () => {
    expect(dayName(noon - hours(11), noon)).toBe("Today");
    expect(dayName(noon - hours(13), noon)).toBe("Yesterday");
    expect(dayName(noon - hours(35), noon)).toBe("Yesterday");
  });

  it("names other days", () => {
    expect(dayName(noon - hours(50), noon)).toMatch(/13/);
  });
});
