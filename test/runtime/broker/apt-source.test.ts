import { describe, expect, test } from "vitest";
import {
  distributionSource,
  osReleaseValue,
  parseDeb822,
  parseSourcesList,
} from "../../../runtime/broker/apt-source.ts";

describe("package sources", () => {
  test("a deb822 file gives one source for each URI and suite, comments and disabled stanzas left out", () => {
    const text = [
      "Types: deb",
      "# a comment in a stanza",
      "URIs: http://mirror.example/debian",
      "Suites: bookworm bookworm-updates",
      "Components: main contrib",
      "Signed-By: /usr/share/keyrings/archive.gpg",
      "",
      "Types: deb deb-src",
      "URIs: http://one.example/x http://two.example/x",
      "Suites: stable",
      "Components: main",
      "Signed-By:",
      " -----BEGIN PGP PUBLIC KEY BLOCK-----",
      " .",
      " -----END PGP PUBLIC KEY BLOCK-----",
      "",
      "Types: deb",
      "Enabled: no",
      "URIs: http://off.example/x",
      "Suites: stable",
      "",
      "Types: deb-src",
      "URIs: http://src.example/x",
      "Suites: stable",
    ].join("\n");
    const signedBy = "/usr/share/keyrings/archive.gpg";
    const uri = "http://mirror.example/debian";
    expect(parseDeb822(text)).toEqual([
      { uri, suite: "bookworm", components: ["main", "contrib"], signedBy },
      { uri, suite: "bookworm-updates", components: ["main", "contrib"], signedBy },
      { uri: "http://one.example/x", suite: "stable", components: ["main"], signedBy: undefined },
      { uri: "http://two.example/x", suite: "stable", components: ["main"], signedBy: undefined },
    ]);
  });

  test("a one-line file gives its deb lines with their options", () => {
    const text = [
      "# deb http://commented.example/debian bookworm main",
      "deb http://plain.example/debian bookworm main non-free # why",
      "deb [arch=amd64 signed-by=/etc/keys/a.gpg] http://signed.example/debian trixie main",
      "deb-src http://src.example/debian bookworm main",
    ].join("\n");
    expect(parseSourcesList(text)).toEqual([
      {
        uri: "http://plain.example/debian",
        suite: "bookworm",
        components: ["main", "non-free"],
        signedBy: undefined,
      },
      {
        uri: "http://signed.example/debian",
        suite: "trixie",
        components: ["main"],
        signedBy: "/etc/keys/a.gpg",
      },
    ]);
  });

  test("the distribution's own source is told from its updates and from other people's packages", () => {
    const source = (uri: string, suite: string, component = "main") => ({
      uri,
      suite,
      components: [component],
      signedBy: undefined,
    });
    const others = [source("http://a/", "bookworm-security"), source("http://b/", "nodistro")];
    expect(distributionSource([...others, source("http://c/", "bookworm")], "bookworm")?.uri).toBe(
      "http://c/",
    );
    expect(distributionSource([...others, source("http://d/", "stable")], "bookworm")?.uri).toBe("http://d/");
    expect(
      distributionSource([...others, source("http://e/", "bookworm", "contrib")], "bookworm"),
    ).toBeUndefined();
  });

  test("values of os-release are read with and without quotes", () => {
    const text = 'PRETTY_NAME="A Linux"\nID=debian\nVERSION_CODENAME="bookworm"\n';
    expect(osReleaseValue(text, "ID")).toBe("debian");
    expect(osReleaseValue(text, "VERSION_CODENAME")).toBe("bookworm");
    expect(osReleaseValue(text, "MISSING")).toBeUndefined();
  });
});
