/** The health check. Spec: http-api, "health and docs". */
import { withoutBody } from "./endpoint.ts";

export const checkHealth = withoutBody(({ healthText }) => ({
  status: 200,
  headers: { "content-type": "text/plain", "cache-control": "no-store" },
  body: `${healthText}\n`,
}));
