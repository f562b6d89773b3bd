import { describe, expect, it } from "vitest";
import document from "../../../docs/browser-client.md?raw";

const sources = Object.values(import.meta.glob<string>("../src/**/*.tsx", { query: "?raw", import: "default", eager: true })).join("\n");

describe("names for tests", () => {
  it("are all in the document", () => {
    const used = [...sources.matchAll(/(?:testId|data-testid)(?:=|: )"([a-z-]+)"/gu)].map((match) => match[1] ?? "");
    // A choice adds its option to its own name.
    const missing = used.filter((name) => !document.includes(`\`${name}\``) && !document.includes(`\`${name}-`));
    expect(used.length).toBeGreaterThan(80);
    expect(missing).toEqual([]);
  });
});
