/** What all pages of the sandbox have: plain HTML, no scripts, readable by a screen reader. */
import type { ServerResponse } from "node:http";

/** A page with this title and body, which is HTML. With `refreshSeconds` it loads itself again. */
export const renderPage = (
  title: string,
  body: string,
  { refreshSeconds }: { readonly refreshSeconds?: number | undefined } = {},
): string => `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${escapeHtml(title)} – sandbox</title>
  <link rel="stylesheet" href="/style.css">
  ${refreshSeconds === undefined ? "" : `<meta http-equiv="refresh" content="${refreshSeconds}">`}
</head>
<body>
  <main>
    <h1>${escapeHtml(title)}</h1>
    ${body}
  </main>
  <footer><p>A sandbox for developers, not for real money.</p></footer>
</body>
</html>
`;

/** The answer of `/style.css`. */
export const stylesheet = `
body { font: 1.1rem/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; margin: 2rem auto; max-width: 34rem; padding: 0 1rem; }
label { display: block; margin: 1rem 0 .35rem; font-weight: 600; }
input, select, textarea { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; border: 1px solid #595959; border-radius: .25rem; }
button { margin: 1.5rem 1rem 0 0; padding: .5rem 1.5rem; font: inherit; color: #fff; background: #0b4f9c; border: 2px solid #0b4f9c; border-radius: .25rem; }
button.plain { color: #0b4f9c; background: #fff; }
:focus-visible { outline: 3px solid #b35900; outline-offset: 2px; }
.problem { border-left: .3rem solid #a80000; padding-left: .7rem; color: #7a0000; }
.success { border-left: .3rem solid #17623a; padding-left: .7rem; color: #0f4a2a; }
.qr { display: block; width: min(100%, 20rem); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-top: 1px solid #d6d9dd; overflow-wrap: anywhere; }
.amount { text-align: right; font-variant-numeric: tabular-nums; padding-right: 0; }
h1 { font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin-top: 2.5rem; font-size: 1.3rem; }
a { color: #0b4f9c; }
code { overflow-wrap: anywhere; }
footer { margin-top: 3rem; font-size: .9rem; color: #595959; }
`;

/** Escapes text for HTML. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);

/** Answers with a page: no scripts, no frames, no traces in caches and referrers. */
export function sendPage(response: ServerResponse, status: number, page: string): void {
  response
    .writeHead(status, {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
      "Cache-Control": "no-store",
      "Referrer-Policy": "same-origin",
      "X-Content-Type-Options": "nosniff",
    })
    .end(page);
}
