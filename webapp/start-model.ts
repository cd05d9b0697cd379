import type { Auth } from "./auth/auth.ts";
import type { WebappConfig } from "./config.ts";
import type { Model } from "./model/types.ts";

export async function startModel(_config: WebappConfig, _auth: Auth): Promise<Model> {
  return (globalThis as unknown as { fakeModel: Model }).fakeModel;
}
