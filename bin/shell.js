// `node bin/shell.js 'COMMAND LINE' ARGUMENTS` runs a command line in which `node`, by whatever program it is started, is the
// Node.js that the program needs. The scripts of package.json use it.
import { runShell } from "./right-node.js";

const [commandLine, ...args] = process.argv.slice(2);
await runShell(commandLine, args);
