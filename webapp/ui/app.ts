/** What every screen can use: the model, the sign-in and the settings. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { WebappConfig } from "../../src/values/webapp-config.ts";
import type { Auth } from "../auth/auth.ts";
import type { Model } from "../model/types.ts";

export interface App {
  readonly model: Model;
  readonly auth: Auth;
  readonly config: WebappConfig;
}

export const AppContext = createContext<App | undefined>(undefined);

/** The parts of the running client. */
export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error("There is no app around this component");
  return app;
}
