#!/usr/bin/env node
// Plain JavaScript that any Node.js from 18 on can run, so that an old one hands over to the right one. The rest is
// TypeScript.
import { isRightNode, runRightNode } from "./right-node.js";
import { handleSignals } from "./signals.js";

if (isRightNode) await runProgram();
else await runRightNode(process.argv.slice(1));

async function runProgram() {
  (await import("./compile-cache.js")).enableCompileCache();
  const { runCommandLine } = await import("../src/cli.ts");
  // `exit` and not `exitCode`: a connection that does not end must not keep a program that has finished.
  process.exit(await runCommandLine(process.argv.slice(2), process.env, { loadSandbox, handleSignals }));
}

/** An image may come without the sandbox; then there are no commands of it. */
async function loadSandbox() {
  try {
    return await import("../sandbox/commands.ts");
  } catch (error) {
    if (error.code === "ERR_MODULE_NOT_FOUND" && error.url?.endsWith("/sandbox/commands.ts")) return { commands: [] };
    throw error;
  }
}
