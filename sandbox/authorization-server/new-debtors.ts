/** Creates debtors through the agent's HTTP API, as a log-in service does: reserve, remember, activate. */
import { basicAuthorization } from "../../src/http/auth/basic-authorization.ts";
import type { ClientCredentials } from "./clients.ts";
import type { Reservation } from "./users.ts";

/** Creates debtors through the agent's API. */
export interface NewDebtors {
  /** Reserves a random free debtor ID. */
  reserve(): Promise<Reservation>;
  /** Activates the debtor; false when the reservation no longer exists. Can be repeated. */
  activate(reservation: Reservation): Promise<boolean>;
}

/** The agent has not created or activated the debtor. */
export class AgentUnavailableError extends Error {
  override readonly name = "AgentUnavailableError";
}

export interface NewDebtorsOptions {
  /** `http://host:port` of the debtors agent. */
  readonly nodeUrl: string;
  readonly tokenUrl: string;
  /** Of a client that may ask for the scope `activate`. */
  readonly credentials: ClientCredentials;
}

const TIMEOUT_MILLIS = 10_000;

/** Creates them with a token of the client whose credentials are given. Both functions throw AgentUnavailableError. */
export function createNewDebtors({ nodeUrl, tokenUrl, credentials }: NewDebtorsOptions): NewDebtors {
  async function getToken(): Promise<string> {
    const { clientId, clientSecret } = credentials;
    const response = await post(tokenUrl, {
      headers: { Authorization: basicAuthorization(clientId, clientSecret) },
      body: new URLSearchParams({ grant_type: "client_credentials", scope: "activate" }),
    });
    if (response.status !== 200) throw new AgentUnavailableError(`The token endpoint answers ${response.status}`);
    return ((await response.json()) as { access_token: string }).access_token;
  }

  async function call(path: string, body: object): Promise<Response> {
    return post(new URL(path, nodeUrl), {
      headers: { Authorization: `Bearer ${await getToken()}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  return {
    async reserve() {
      const response = await call("/debtors/.debtor-reserve", {});
      if (response.status !== 200)
        throw new AgentUnavailableError(`The agent answers ${response.status} to a reservation`);
      return (await response.json()) as Reservation;
    },
    async activate({ debtorId, reservationId }) {
      const response = await call(`/debtors/${debtorId}/activate`, { reservationId });
      await response.body?.cancel();
      if (response.status === 200) return true;
      if (response.status === 422 || response.status === 409) return false;
      throw new AgentUnavailableError(`The agent answers ${response.status} to an activation`);
    },
  };
}

async function post(url: string | URL, request: Pick<RequestInit, "headers" | "body">): Promise<Response> {
  try {
    return await fetch(url, {
      ...request,
      method: "POST",
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MILLIS),
    });
  } catch (error) {
    throw new AgentUnavailableError("The agent does not answer", { cause: error });
  }
}
