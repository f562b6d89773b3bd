import { describe, expect, it } from "vitest";
import document from "../../../docs/browser-client.md?raw";

const files = import.meta.glob<string>("../src/views/**/*.tsx", { query: "?raw", import: "default", eager: true });
const sources = Object.values(files).join("\n");
const withoutComments = (source: string): string => source.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gmu, "");

/** The opening tags of a source's own elements: `<a …>` but not `<Button …>`, whose type asks for a `testId`. */
function openingTags(source: string): string[] {
  const tags: string[] = [];
  for (const { index } of source.matchAll(/<[a-z][a-z0-9]*(?=[\s/>])/gu)) {
    let depth = 0;
    let end = index;
    for (; end < source.length; end += 1) {
      if (source[end] === "{") depth += 1;
      else if (source[end] === "}") depth -= 1;
      else if (source[end] === ">" && depth === 0) break;
    }
    tags.push(source.slice(index, end + 1));
  }
  return tags;
}

const isInteractive = (tag: string): boolean =>
  /^<(?:a|button|dialog|input|select|summary|textarea)\b/u.test(tag) || /\s(?:on(?:Click|DblClick)|tabIndex)=/u.test(tag);
// A field spreads what it has in common, its name among it.
const isNamed = (tag: string): boolean => tag.includes("data-testid=") || tag.includes("{...input}");

describe("names for tests", () => {
  it("are all in the document", () => {
    const used = [...sources.matchAll(/(?:testId|data-testid)(?:=|: )"([a-z-]+)"/gu)].map((match) => match[1] ?? "");
    // A choice adds its option to its own name.
    const missing = used.filter((name) => !document.includes(`\`${name}\``) && !document.includes(`\`${name}-`));
    expect(used.length).toBeGreaterThan(80);
    expect(missing).toEqual([]);
  });

  it("are on every element that one can use", () => {
    const tags = Object.entries(files).flatMap(([file, source]) => openingTags(withoutComments(source)).map((tag) => ({ file, tag })));
    const interactive = tags.filter(({ tag }) => isInteractive(tag));
    expect(interactive.length).toBeGreaterThan(15);
    expect(interactive.filter(({ tag }) => !isNamed(tag))).toEqual([]);
  });

  it.each([
    ["<a href={x}>", true, false],
    ['<button data-testid="b" onClick={() => f(1 > 0)}>', true, true],
    ["<div class={a > b ? c : d} onClick={() => f()}>", true, false],
    ['<p class="plain">', false, false],
  ])("are looked for as they should be: %s", (source, interactive, named) => {
    expect(openingTags(source)).toEqual([source]);
    expect([isInteractive(source), isNamed(source)]).toEqual([interactive, named]);
  });
});
