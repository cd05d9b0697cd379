/** The compose files and development.env: they fit together, and with the program and the Dockerfile. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { parseEnv } from "node:util";
import { parse } from "yaml";
import { commands as sandboxCommands } from "../../sandbox/commands.ts";
import type { Command } from "../../src/commands/command.ts";
import { parseCommandLine } from "../../src/commands/command.ts";
import { commandLoaders, splitCommandName } from "../../src/commands/list.ts";
import { readConfig } from "../../src/config.ts";
import { settings } from "../../src/environment.ts";
import { argumentsOf, findInstruction, isThere, parseStages, readDockerfile, repository } from "./image-builder.ts";

interface Service {
  readonly image: string;
  readonly build?: { readonly target: string; readonly context: string };
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly user?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly disable?: boolean; readonly test?: readonly string[] };
}

const files = ["docker-compose.yml", "docker-compose-all.yml"] as const;
const read = (file: string): Promise<string> => readFile(path.join(repository, file), "utf8");
const developmentText = await read("development.env");
const development = parseEnv(developmentText) as Record<string, string>;
const stages = parseStages(await readDockerfile());

/** The file as compose sees it after `cp development.env .env`. */
async function readCompose(file: string): Promise<{ services: Record<string, Service>; volumes: object }> {
  const text = (await read(file)).replace(
    /\$\{(\w+)(?::-([^}]*))?\}/g,
    (_, name: string, otherwise: string | undefined) => development[name] || (otherwise ?? ""),
  );
  return parse(text, { merge: true });
}
const composes = await Promise.all(files.map(async (file) => ({ file, ...(await readCompose(file)) })));
const services = composes.flatMap(({ file, services }) =>
  Object.entries(services).map(([name, service]) => ({ where: `${file}: ${name}`, file, name, service })),
);
const environmentOf = ({ service }: { service: Service }) => ({
  ...(service.env_file === undefined ? {} : development),
  ...service.environment,
});
const isOurs = ({ service }: { service: Service }): boolean =>
  service.image.startsWith("swpt-debtors/") && service.entrypoint === undefined && service.env_file !== undefined;

test("development.env has every setting of the program with an explanation, in the program's order, and nothing else", () => {
  const names = Array.from(developmentText.matchAll(/^([A-Z][A-Z0-9_]*)=/gm), ([, name]) => name);
  assert.deepEqual(names, Object.keys(settings));
  for (const name of Object.keys(settings)) assert.match(developmentText, new RegExp(`^# \\S.*\n${name}=`, "m"), name);
});

test("development.env means the same to every reader: the shell, compose, docker and Node.js", () => {
  for (const line of developmentText.split("\n").filter((line) => line !== "" && !line.startsWith("#"))) {
    assert.match(line, /^[A-Z][A-Z0-9_]*=([\w.:/@-]*|'[^']*')$/);
  }
});

test("the program takes development.env as it is", () => {
  const config = readConfig(development, ["realm", "postgresUrl", "authentication"]);
  assert.deepEqual(config.authentication, { mode: "trusted proxy", anonymousIsSuperuser: true });
  assert.equal(config.realm.shard.routingKey, "#");
  assert.match("debtors:7", config.subjects.debtor);
  assert.equal(config.consumer.prefetchCount, 500);
});

test("every variable in a compose file has a default, or is in development.env", async () => {
  for (const file of files) {
    for (const [whole, name, otherwise] of (await read(file)).matchAll(/\$\{?(\w+)(?::-([^}]*))?\}?/g)) {
      assert.ok(otherwise !== undefined || name! in development, `${file}: ${whole}`);
    }
  }
});

test("what the compose files name is there: stages, files, services, volumes and variables", async () => {
  for (const { file, services, volumes } of composes) {
    for (const [name, service] of Object.entries(services)) {
      const where = `${file}: ${name}`;
      if (service.build !== undefined) {
        assert.ok(stages.has(service.build.target), where);
        assert.equal(service.image, `swpt-debtors/${service.build.target.replace(/-image$/, "")}`);
      } else {
        assert.match(service.image, /:\d/, `${where}: an image without a version`);
      }
      for (const volume of service.volumes ?? []) {
        const source = volume.split(":")[0]!;
        assert.ok(
          source.startsWith("./") ? await isThere(path.join(repository, source)) : source in volumes,
          `${where}: ${volume}`,
        );
      }
      for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
        assert.ok(other in services, `${where}: ${other}`);
        if (condition === "service_healthy") assert.notEqual(healthCheckOf(services[other]!), undefined, other);
      }
      if (isOurs({ service })) {
        for (const variable of Object.keys(service.environment ?? {})) assert.ok(variable in settings, variable);
      }
    }
  }
});

const healthCheckOf = ({ healthcheck, build }: Service): unknown =>
  healthcheck?.disable
    ? undefined
    : (healthcheck?.test ?? (build && findInstruction(stages, build.target, "HEALTHCHECK")));

test("health checks call programs that the images have", () => {
  const known: Record<string, readonly string[]> = {
    "postgres:18": ["pg_isready"],
    "rabbitmq:4-management": ["rabbitmq-diagnostics"],
    "swpt-debtors/sandbox": ["node"],
  };
  for (const { where, service } of services) {
    const [kind, program] = service.healthcheck?.test ?? [];
    if (kind === undefined) continue;
    assert.equal(kind, "CMD", where);
    assert.ok(known[service.image]?.includes(program!), where);
  }
});

test("the containers run commands of the program, with settings and options that it takes", async () => {
  const ours = services.filter(isOurs);
  assert.ok(ours.length >= 5);
  for (const { where, service } of ours) {
    const [first, ...rest] = service.command!;
    const [name, args] = splitCommandName(first!, rest);
    const command: Command | undefined = Object.hasOwn(commandLoaders, name!)
      ? await commandLoaders[name!]!()
      : sandboxCommands.find((candidate) => candidate.name === name);
    assert.ok(command, where);
    if (!Object.hasOwn(commandLoaders, name!)) assert.equal(service.build?.target, "sandbox-image", where);
    const { environment } = parseCommandLine(command, args, environmentOf({ service }));
    readConfig(environment, name === "all" || name === "webserver" ? ["realm", "postgresUrl", "authentication"] : []);
  }
});

test("servers are found by the names of their services, and not on the container itself", () => {
  for (const { where, file, service } of services.filter(isOurs)) {
    const { POSTGRES_URL, PROTOCOL_BROKER_URL, OAUTH2_INTROSPECT_URL } = environmentOf({ service });
    for (const url of [POSTGRES_URL, PROTOCOL_BROKER_URL, OAUTH2_INTROSPECT_URL].filter((url) => url)) {
      const { services } = composes.find((compose) => compose.file === file)!;
      assert.ok(new URL(url!).hostname in services, `${where}: ${new URL(url!).hostname}`);
    }
  }
});

test("only this machine can reach what is published", () => {
  for (const { where, service } of services) {
    for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/, where);
  }
});

test("the node of docker-compose-all.yml introspects tokens, and is reachable through the proxy only", () => {
  const all = composes.find(({ file }) => file === "docker-compose-all.yml")!.services;
  const config = readConfig(environmentOf({ service: all.app! }), ["authentication"]);
  assert.equal(config.authentication.mode, "introspection");
  const published = Object.entries(all).filter(([, { ports }]) => ports !== undefined);
  assert.deepEqual(
    published.map(([name]) => name),
    ["proxy"],
  );
});

test("the certificate's key belongs to the user of the proxy", () => {
  const { certificate, proxy } = composes.find(({ file }) => file === "docker-compose-all.yml")!.services;
  assert.equal(certificate!.command!.at(-1), proxy!.user);
  assert.equal(argumentsOf(findInstruction(stages, "swagger-ui-image", "USER")!)[0], "101:101");
});
