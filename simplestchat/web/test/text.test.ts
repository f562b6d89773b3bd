import { describe, expect, it } from "vitest";
import { hueOf, initials, linkify, people } from "../src/lib/text";

describe("initials", () => {
  it.each([
    ["Ada Lovelace", "AL"],
    ["ada", "A"],
    ["  Jean   Luc  Picard ", "JP"],
    ["علي الهاشمي", "عا"],
    ["👩‍🚀 Sally", "👩‍🚀S"],
    ["--- !!!", "?"],
    ["", "?"],
  ])("of %j are %j", (name, letters) => {
    expect(initials(name)).toBe(letters);
  });
});

describe("hueOf", () => {
  it("is stable and an angle", () => {
    for (const name of ["", "Ada", "علي", "x".repeat(10_000)]) {
      expect(hueOf(name)).toBe(hueOf(name));
      expect(hueOf(name)).toBeGreaterThanOrEqual(0);
      expect(hueOf(name)).toBeLessThan(360);
    }
  });
});

describe("linkify", () => {
  const links = (text: string): string[] => linkify(text).flatMap(({ text: shown, href }) => (href === undefined ? [] : [shown]));

  it.each([
    ["see https://example.org/a?b=c#d now", ["https://example.org/a?b=c#d"]],
    ["(https://example.org)", ["https://example.org"]],
    ["https://example.org/a_(b).", ["https://example.org/a_(b)"]],
    ["two: http://a.test, https://b.test!", ["http://a.test", "https://b.test"]],
    ["javascript:alert(1) data:text/html,x", []],
    ["xhttps://example.org", []],
    ["https://", []],
    ["HTTPS://EXAMPLE.ORG", ["HTTPS://EXAMPLE.ORG"]],
  ])("finds the links of %j", (text, expected) => {
    expect(links(text)).toEqual(expected);
  });

  it("keeps every character", () => {
    const text = 'a <b>"https://x.test/<script>"</b> https://y.test/(z)). end\n';
    expect(
      linkify(text)
        .map((segment) => segment.text)
        .join(""),
    ).toBe(text);
  });

  it("hands out only http and https", () => {
    for (const { href } of linkify("https://a.test http://b.test ftp://c.test")) {
      if (href !== undefined) expect(href).toMatch(/^https?:\/\//);
    }
  });
});

describe("people", () => {
  it("counts", () => {
    expect([people(1), people(0), people(3)]).toEqual(["1 person", "0 people", "3 people"]);
  });
});
