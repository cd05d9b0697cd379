/**
 * Passes requests for the API on to the debtors agent. In real installations a proxy puts the agent and the authorization
 * server behind one name, and Swagger UI looks for the latter there; here this server is that proxy.
 */
import { type IncomingMessage, type ServerResponse, request as sendRequest } from "node:http";
import { renderProblem } from "./pages.ts";
import { sendPage } from "./sign-in.ts";

export const createForwarding =
  (nodeUrl: string) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const { method, url: path, rawHeaders } = request;
    const { hostname: host, port } = new URL(nodeUrl);
    // The header lines as they are, the `Host` too: the agent tells the browser where it is by the name it was called.
    const outgoing = sendRequest({ host, port, method, path, headers: rawHeaders }, (incoming) => {
      response.writeHead(incoming.statusCode!, incoming.rawHeaders);
      incoming.pipe(response);
      incoming.on("error", () => response.destroy());
    });
    outgoing.on("error", () => {
      if (response.headersSent) response.destroy();
      else sendPage(response, 502, renderProblem("The debtors agent does not answer."));
    });
    response.on("close", () => outgoing.destroy());
    request.pipe(outgoing);
  };
