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
(await import("./compile-cache.js")).enableCompileCache();
const { runCommandLine } = await import("../src/cli.ts");
// An image may come without the sandbox; then there are no commands of it.
const loadSandbox = () =>
  import("../sandbox/commands.ts").catch((error) => {
    if (error.code === "ERR_MODULE_NOT_FOUND" && error.url?.endsWith("/sandbox/commands.ts")) return { commands: [] };
    throw error;
  });
// `exit` and not `exitCode`: a connection that does not end must not keep a program that has finished.
process.exit(await runCommandLine(process.argv.slice(2), process.env, loadSandbox));
