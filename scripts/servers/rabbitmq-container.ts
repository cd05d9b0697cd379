/** A RabbitMQ in a container that is removed when it stops. */
import { startGuarded } from "../../sandbox/guarded-process.ts";
import { findFreePort } from "../../test/support/command.ts";
import { untilBrokerAnswers } from "./rabbitmq-installed.ts";
import type { TestServer } from "./test-server.ts";

const IMAGE = "docker.io/library/rabbitmq:3-management";

/** `engine` is the name of the program, docker or podman. */
export async function startRabbitMqContainer(engine: string): Promise<TestServer> {
  const [port, managementPort] = [await findFreePort(), await findFreePort()];
  const server = startGuarded({
    command: engine,
    args: ["run", "--rm", "-p", `127.0.0.1:${port}:5672`, "-p", `127.0.0.1:${managementPort}:15672`, IMAGE],
    stopSignal: "TERM",
  });
  const environment = await untilBrokerAnswers(server, port, managementPort);
  return { environment, release: server.stop };
}
