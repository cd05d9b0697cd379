/** An issuer of JWT access tokens, with a key set of its own. */
import { createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const ISSUER = "https://id.example.com";
export const AUDIENCE = "debtors";

export interface FakeIssuer {
  readonly jwksUrl: string;
  /** How often the keys have been fetched. */
  fetches(): number;
  /** A signed token with these claims and header members besides the usual ones; `undefined` leaves one out. */
  sign(claims: object, header?: object): string;
  /** Signs with a new key from now on; the old one is published as long as `keepOld` says so. */
  rotate(options: { readonly keepOld: boolean }): void;
  /** Replaces the way it answers; `undefined` restores the usual one. */
  misbehave(behavior: ((response: ServerResponse) => void) | undefined): void;
  close(): Promise<void>;
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

export async function startFakeIssuer(): Promise<FakeIssuer> {
  let keys: { readonly kid: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject }[] = [];
  let made = 0;
  let fetched = 0;
  let behave: ((response: ServerResponse) => void) | undefined;
  const addKey = (): void => {
    keys = [{ kid: `key-${++made}`, ...generateKeyPairSync("ec", { namedCurve: "P-256" }) }, ...keys];
  };
  addKey();
  const server = createServer((_request, response) => {
    fetched += 1;
    if (behave !== undefined) return behave(response);
    const jwks = keys.map(({ kid, publicKey }) => ({
      ...publicKey.export({ format: "jwk" }),
      kid,
      use: "sig",
      alg: "ES256",
    }));
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ keys: jwks }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    jwksUrl: `http://127.0.0.1:${port}/jwks`,
    fetches: () => fetched,
    sign(claims, header = {}) {
      const { kid, privateKey } = keys[0]!;
      const now = Math.floor(Date.now() / 1000);
      const payload = { iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + 3600, client_id: "c", jti: "j", ...claims };
      const text = `${encode({ alg: "ES256", typ: "at+jwt", kid, ...header })}.${encode(payload)}`;
      const signature = createSign("sha256").update(text).sign({ key: privateKey, dsaEncoding: "ieee-p1363" });
      return `${text}.${signature.toString("base64url")}`;
    },
    rotate({ keepOld }) {
      if (!keepOld) keys = [];
      addKey();
    },
    misbehave(behavior) {
      behave = behavior;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
