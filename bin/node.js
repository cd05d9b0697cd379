// `node bin/node.js ARGUMENTS`, with any Node.js from 18 on, is `node ARGUMENTS` with the Node.js that the program needs.
// The scripts of package.json use it.
import { runRightNode } from "./right-node.js";

await runRightNode(process.argv.slice(2));
