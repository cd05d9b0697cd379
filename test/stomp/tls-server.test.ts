import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import tls from "node:tls";
import { startTlsServer } from "../../src/stomp/tls-server.ts";
import { createAuthority } from "../support/tls-files.ts";
import { waitFor } from "../support/wait.ts";

test("connections that are too many are closed, and there is room again when others end", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "swpt-debtors-test-"));
  const authority = await createAuthority(folder, "ca");
  const { cert, key } = authority.sign("server", "localhost");
  const root = await readFile(authority.cert, "utf8");
  let droppedCount = 0;
  const server = await startTlsServer({
    port: 0,
    credentials: {
      certificate: await readFile(cert, "utf8"),
      key: await readFile(key, "utf8"),
      root,
    },
    handshakeMillisMax: 60_000,
    backlog: 10,
    connectionsMax: 2,
    onConnection: () => {},
    onRefused: () => {},
    onHandshakeError: () => {},
    onDropped: () => {
      droppedCount++;
    },
  });
  const sockets: net.Socket[] = [];
  const open = async (): Promise<net.Socket> => {
    const socket = net.connect(server.port, "127.0.0.1");
    sockets.push(socket.on("error", () => {}));
    await once(socket, "connect");
    return socket;
  };
  try {
    const [first] = [await open(), await open()];
    await once((await open()).resume(), "close");
    assert.equal(droppedCount, 1);

    first.destroy();
    await waitFor(async () => {
      const socket = tls.connect({ port: server.port, host: "127.0.0.1", ca: root, servername: "localhost" });
      sockets.push(socket.on("error", () => {}));
      return await new Promise<boolean>((resolve) => {
        socket.once("secureConnect", () => resolve(true)).once("close", () => resolve(false));
      });
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.stopListening();
    await rm(folder, { recursive: true, force: true });
  }
});
