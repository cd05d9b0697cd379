#!/usr/bin/env node
// Plain JavaScript that any Node can parse, so that an old one is told what is wrong. The rest is TypeScript.
const major = Number(process.versions.node.split(".")[0]);
if (major < 26) {
  console.error(
    `swpt-debtors needs Node.js 26 or newer, and this is ${process.version} (${process.execPath}). ` +
      "In the repository `npm install` brings the right one: start with `npm start`, or `npx swpt-debtors COMMAND`.",
  );
  process.exit(1);
}
const path = await import("node:path");
const os = await import("node:os");
// A folder that exists: enableCompileCache never returns when it cannot make the parent of the one it is given.
(await import("node:module")).enableCompileCache?.(path.join(os.tmpdir(), "swpt-debtors-compile-cache"));
await import("../src/cli.ts");
