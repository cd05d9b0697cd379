/** Requests that a client sends without waiting for the answers to those before (pipelining) take turns. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** How many requests of a connection may wait for their turn. With one more the connection is closed. */
const WAITING_MAX = 100;

type Serve = () => void;

/**
 * Makes a function that serves requests, those of one connection one after the other: each sees what the ones before it have
 * done (RFC 9112, section 9.3.2), and a connection has only one under way, however many its client sends.
 */
export function createTurns(): (request: IncomingMessage, response: ServerResponse, serve: Serve) => void {
  /** What waits behind the request that is under way on a connection. */
  const queues = new WeakMap<Socket, Serve[]>();

  return ({ socket }, response, serve) => {
    response.once("close", () => {
      // After an answer with `Connection: close` nothing more is served (RFC 9112, section 9.6).
      const next = socket.writable ? queues.get(socket)?.shift() : undefined;
      if (next === undefined) queues.delete(socket);
      else next();
    });
    const queue = queues.get(socket);
    if (queue === undefined) {
      queues.set(socket, []);
      serve();
    } else if (queue.push(serve) > WAITING_MAX) {
      socket.destroy();
    }
  };
}
