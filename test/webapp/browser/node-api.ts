/** What another client of the same debtor does, and what the node has: its API with the token of a page. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { parseJson, stringifyJson } from "../../../src/values/json.ts";

export interface NodeTransfer {
  readonly transferUuid: string;
  readonly note: string;
  readonly amount: bigint;
  /** When it is over. */
  readonly result?: object;
}

export interface NodeConfig {
  readonly configData: string;
  readonly latestUpdateId: bigint;
}

/** The API as the user of a signed-in page may use it. */
export async function nodeApiOf(page: Page, origin: string) {
  const token = await page.evaluate(() => {
    const { accessToken } = JSON.parse(sessionStorage.getItem("issuer tokens")!) as { accessToken: string };
    return accessToken;
  });
  const request = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json", ...init.headers };
    return fetch(new URL(path, origin), { ...init, headers });
  };
  const read = async <T>(path: string): Promise<T> => parseJson(await (await request(path)).text()) as T;
  const debtor = await request("/debtors/.debtor");
  const base = new URL(debtor.url).pathname;
  return {
    base,
    config: () => read<NodeConfig>(`${base}config`),
    async transfers(): Promise<NodeTransfer[]> {
      const { items } = await read<{ items: { uri: string }[] }>(`${base}transfers/`);
      return Promise.all(items.map(({ uri }) => read<NodeTransfer>(`${base}transfers/${uri}`)));
    },
    /** Saves a configuration as another client does. */
    async saveConfig(change: (configData: string) => string): Promise<void> {
      const { configData, latestUpdateId } = await read<NodeConfig>(`${base}config`);
      const body = stringifyJson({ configData: change(configData), latestUpdateId: latestUpdateId + 1n });
      const answer = await request(`${base}config`, { method: "PATCH", body });
      assert.equal(answer.status, 200, await answer.text());
    },
    /** Saves a document as another client does. Returns its address. */
    async saveDocument(text: string, contentType: string): Promise<string> {
      const answer = await request(`${base}documents/`, {
        method: "POST",
        body: text,
        headers: { "Content-Type": contentType },
      });
      assert.equal(answer.status, 201);
      return answer.headers.get("Location")!;
    },
  };
}
