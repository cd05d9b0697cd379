/**
 * `createServer` of `node:http`. Importing that module from an ES module reads everything it exports, and for `WebSocket`
 * Node.js loads its HTTP client, which a process that only serves does not need.
 */
export const { createServer } = process.getBuiltinModule("node:http");
