import { describe, expect, it } from "vitest";
import { roomName } from "../src/lib/names";

describe("roomName", () => {
  it("is two words at both ends of chance, and rarely the same", () => {
    for (const random of [() => 0, () => 0.999999]) expect(roomName(random)).toMatch(/^[A-Z][a-z]+ [a-z]+$/);
    expect(new Set(Array.from({ length: 200 }, () => roomName())).size).toBeGreaterThan(80);
  });
});
