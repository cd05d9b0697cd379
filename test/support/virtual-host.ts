/**
 * A RabbitMQ virtual host of its own for a test file. The names of the exchanges are fixed by the contract, so files
 * that run side by side would meet in a common one.
 */
import { errorText } from "../../src/values/error-text.ts";
import { findBroker, newTestName, pingBroker } from "./services.ts";

/** A virtual host for one test file. `await using` removes it as well. */
export interface TestVirtualHost extends AsyncDisposable {
  /** `amqp://…/<virtual host>` */
  readonly url: string;
  /** Sets something that is an operator's: a policy, an operator policy or a limit. */
  set(kind: "policies" | "operator-policies" | "vhost-limits", name: string, value: object): Promise<void>;
  /** Removes the virtual host, the connections to it and all that is in it. */
  close(): Promise<void>;
}

/**
 * Makes an empty virtual host, whose queues are of this type unless they say otherwise. Rejects when the broker
 * cannot be managed over HTTP.
 */
export async function createTestVirtualHost(
  brokerUrl?: string,
  defaultQueueType: "classic" | "quorum" = "classic",
): Promise<TestVirtualHost> {
  const url = new URL(brokerUrl ?? (await findBroker()));
  const name = newTestName();
  const management = manage(url);
  await management.add(name, defaultQueueType);
  url.pathname = `/${name}`;
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= management.remove(name);
    return closing;
  };
  try {
    await pingBroker(url.href);
  } catch (error) {
    await close();
    throw new Error(`The virtual host was made on another broker than ${url.host}`, { cause: error });
  }
  const set: TestVirtualHost["set"] = (kind, setting, value) => management.set(`/${kind}/${name}/${setting}`, value);
  return { url: url.href, set, close, [Symbol.asyncDispose]: close };
}

/** Removes the virtual hosts whose names begin so, and which a test has left behind. */
export async function removeVirtualHosts(brokerUrl: string, prefix: string): Promise<void> {
  const management = manage(new URL(brokerUrl));
  for (const name of await management.list()) if (name.startsWith(prefix)) await management.remove(name);
}

interface Management {
  list(): Promise<string[]>;
  add(name: string, defaultQueueType: string): Promise<void>;
  remove(name: string): Promise<void>;
  set(path: string, value: object): Promise<void>;
}

/** By the management plugin, at TEST_BROKER_MANAGEMENT_URL or else on port 15672 of the broker. */
function manage(broker: URL): Management {
  const root = process.env.TEST_BROKER_MANAGEMENT_URL || `http://${broker.hostname}:15672`;
  const user = decodeURIComponent(broker.username || "guest");
  const credentials = Buffer.from(`${user}:${decodeURIComponent(broker.password || "guest")}`).toString("base64");
  const call = async (method: string, path: string, body?: object): Promise<Response> => {
    const response = await fetch(`${root}/api${path}`, {
      method,
      headers: { authorization: `Basic ${credentials}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(20_000),
      ...(body && { body: JSON.stringify(body) }),
    }).catch((error: Error) => {
      throw new Error(`${root} does not answer (${errorText(error.cause ?? error)})`);
    });
    if (!response.ok) throw new Error(`${root} answers ${method} ${path} with ${response.status}`);
    return response;
  };
  return {
    list: async () => {
      const hosts = (await (await call("GET", "/vhosts?columns=name")).json()) as { name: string }[];
      return hosts.map((host) => host.name);
    },
    add: async (name, defaultQueueType) => {
      await call("PUT", `/vhosts/${name}`, { default_queue_type: defaultQueueType });
      await call("PUT", `/permissions/${name}/${encodeURIComponent(user)}`, {
        configure: ".*",
        write: ".*",
        read: ".*",
      });
    },
    remove: async (name) => {
      await call("DELETE", `/vhosts/${name}`);
    },
    set: async (path, value) => {
      await call("PUT", path, value);
    },
  };
}
