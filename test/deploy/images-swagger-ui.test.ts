/** The image of Swagger UI: the start script, what it writes, and the pages. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import fc from "fast-check";
import { buildOpenApiDocument } from "../../src/http/openapi/document.ts";
import { hasIpv6 } from "../support/ipv6.ts";
import { removeFolder } from "./image-builder.ts";
import { buildSwaggerUi, configureSwaggerUi, startSwaggerUi } from "./swagger-ui.ts";

let folder: string;
let root: string;
before(async () => {
  ({ folder, root } = await buildSwaggerUi());
});
after(() => removeFolder(folder));

async function configurationFor(variables: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const target = await configureSwaggerUi(root, variables);
  try {
    return JSON.parse(await readFile(path.join(target, "configuration.json"), "utf8")) as Record<string, string>;
  } finally {
    await removeFolder(target);
  }
}

test("the script writes what the variables say", async () => {
  assert.deepEqual(
    await configurationFor({
      API_ROOT: "https://example.com:44301/debtors/",
      OAUTH2_AUTHORIZATION_URL: "https://example.com/oauth2/auth",
      OAUTH2_TOKEN_URL: "https://example.com/oauth2/token",
      OAUTH2_REFRESH_URL: "/oauth2/token",
      OAUTH2_REDIRECT_URL: "https://example.com/ui/oauth2-redirect.html",
    }),
    {
      apiRoot: "https://example.com:44301",
      authorizationUrl: "https://example.com/oauth2/auth",
      tokenUrl: "https://example.com/oauth2/token",
      refreshUrl: "/oauth2/token",
      redirectUrl: "https://example.com/ui/oauth2-redirect.html",
    },
  );
});

test("without variables the page asks the server that it came from", async () => {
  const configuration = await configurationFor({});
  assert.deepEqual(new Set(Object.values(configuration)), new Set([""]));
});

test("whatever a value holds, it stays a value", async () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is for the shell.
  const texts = ['"}, {"', "\\", "</script><script>alert(1)</script>", "$(id)`id`${HOME}", "a\nb\tc\u0001", "&/|#;'é€"];
  const text = fc.string({ unit: "binary-ascii", maxLength: 60 }).filter((value) => !value.includes("\0"));
  for (const value of [...texts, ...fc.sample(text, { numRuns: 30, seed: 7 })]) {
    const url = `https://example.com/?${value}`;
    assert.equal((await configurationFor({ OAUTH2_TOKEN_URL: url })).tokenUrl, url, JSON.stringify(value));
  }
});

test("the script refuses what is no URL, and a path that could mean something to nginx", async () => {
  const refused: Record<string, string>[] = [
    { OAUTH2_AUTHORIZATION_URL: "javascript:alert(1)" },
    { API_ROOT: "example.com" },
    { BASE_URL: "ui" },
    { BASE_URL: "/ui; }" },
    { BASE_URL: "/ui\n/" },
    { BASE_URL: "/$host/" },
    { BASE_URL: "/ui/../" },
    { BASE_URL: "//ui" },
  ];
  for (const variables of refused) {
    await assert.rejects(
      configureSwaggerUi(root, variables),
      { code: 1, stderr: /^start\.sh: / },
      JSON.stringify(variables),
    );
  }
});

test("the shells of Debian and Alpine both take the script", async () => {
  const script = path.join(root, "etc/swagger-ui/start.sh");
  await promisify(execFile)("sh", ["-n", script]);
  // What only bash knows would fail in the others.
  assert.doesNotMatch(await readFile(script, "utf8"), /\[\[|\blocal\b|\bfunction \w+ *\{|<<<|\$'/);
});

for (const base of ["/", "/debtors-swagger-ui/", "/debtors-swagger-ui"]) {
  test(`the page and all its files are served below BASE_URL=${base}`, async () => {
    await using ui = await startSwaggerUi(root, { BASE_URL: base });
    const prefix = `http://127.0.0.1:${ui.port}${base.replace(/\/$/, "")}`;
    const page = await fetch(`${prefix}/`);
    assert.equal(page.headers.get("content-type"), "text/html");
    assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'self'/);
    const html = await page.text();
    const files = Array.from(html.matchAll(/(?:src|href)="(?:\.\/)?([^"]+)"/g), ([, file]) => file!);
    assert.ok(files.includes("start.js") && files.length > 4);
    for (const file of [...files, "configuration.json", "oauth2-redirect.html", "oauth2-redirect.js"]) {
      const response = await fetch(`${prefix}/${file}`);
      await response.text();
      assert.equal(response.status, 200, file);
    }
    const api = await (await fetch(`${prefix}/openapi.json`)).json();
    assert.deepEqual(api, JSON.parse(JSON.stringify(buildOpenApiDocument())));
    for (const host of ["127.0.0.1", ...(hasIpv6() ? ["[::1]"] : [])]) {
      assert.equal((await fetch(`http://${host}:${ui.port}/health`)).status, 204);
    }
    assert.equal((await fetch(`${prefix}/../etc/passwd`)).status, 404);
  });
}
