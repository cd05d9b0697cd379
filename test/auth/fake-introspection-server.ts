import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request for introspection. */
export interface IntrospectionCall {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly token: string | null;
}

export interface FakeIntrospectionServer {
  readonly url: string;
  readonly port: number;
  readonly calls: readonly IntrospectionCall[];
  /** The answers to the tokens that it knows; to any other it says that the token is not active. */
  readonly tokens: Map<string, unknown>;
  /** Replaces the way it answers; `undefined` restores the usual one. */
  misbehave(behavior: ((response: ServerResponse, call: IntrospectionCall) => void) | undefined): void;
  /** Calls that are under way. */
  underWay(): number;
  close(): Promise<void>;
}

/** Stands in for the token introspection endpoint of an authorization server. */
export async function startFakeIntrospectionServer(port = 0): Promise<FakeIntrospectionServer> {
  const calls: IntrospectionCall[] = [];
  const tokens = new Map<string, unknown>();
  let behave: ((response: ServerResponse, call: IntrospectionCall) => void) | undefined;
  let underWay = 0;

  const server = createServer((request, response) => {
    underWay += 1;
    response.on("close", () => {
      underWay -= 1;
    });
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const token = new URLSearchParams(body).get("token");
      const call = { method: request.method, path: request.url, headers: request.headers, body, token };
      calls.push(call);
      if (behave !== undefined) behave(response, call);
      else sendJson(response, tokens.get(token ?? "") ?? { active: false });
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const { port: actualPort } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${actualPort}/oauth2/introspect`,
    port: actualPort,
    calls,
    tokens,
    misbehave(behavior) {
      behave = behavior;
    },
    underWay: () => underWay,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

export const sendJson = (response: ServerResponse, value: unknown): void => {
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(value));
};
