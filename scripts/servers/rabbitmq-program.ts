/** The RabbitMQ that is installed on this machine, and what one node of it needs to run beside others. */
import { access, constants, mkdir, realpath, writeFile } from "node:fs/promises";
import path from "node:path";

// The first ones hold the program itself. What packages put into /usr/sbin is a wrapper that requires a certain user.
const PROGRAM_FOLDERS = [
  "/usr/lib/rabbitmq/bin",
  "/opt/rabbitmq/sbin",
  "/opt/homebrew/opt/rabbitmq/sbin",
  "/usr/local/opt/rabbitmq/sbin",
];
const SYSTEM_FOLDERS = ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"];
const searchPath = [...new Set([...(process.env.PATH ?? "").split(":"), ...SYSTEM_FOLDERS])].join(":");

/** The path of `rabbitmq-server`, or `undefined` when it is not installed. */
export async function findInstalledRabbitMq(): Promise<string | undefined> {
  for (const folder of [...PROGRAM_FOLDERS, ...searchPath.split(":")]) {
    const program = path.join(folder, "rabbitmq-server");
    const isThere = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return realpath(program);
  }
  return undefined;
}

/** A node of RabbitMQ, all of whose files, ports and names are its own. */
export interface NodeOptions {
  /** For its files; it exists. */
  readonly folder: string;
  /** For the cookie that the nodes of a cluster have in common. */
  readonly home: string;
  /** `name@localhost` */
  readonly nodeName: string;
  readonly ports: { readonly amqp: number; readonly distribution: number; readonly epmd: number };
  /** More lines of rabbitmq.conf. */
  readonly settings: Readonly<Record<string, string | number>>;
  readonly plugins: readonly string[];
}

/** Writes the configuration and returns the environment that keeps the server away from the system's own one. */
export async function prepareNode({
  folder,
  home,
  nodeName,
  ports,
  settings,
  plugins,
}: NodeOptions): Promise<NodeJS.ProcessEnv> {
  const inFolder = (name: string): string => path.join(folder, name);
  for (const name of ["data", "log", "config"]) await mkdir(inFolder(name));
  const configuration = {
    "listeners.tcp.local": `127.0.0.1:${ports.amqp}`,
    // A small disk is enough: nothing stays here.
    "disk_free_limit.absolute": "10MB",
    ...settings,
  };
  const lines = Object.entries(configuration).map(([name, value]) => `${name} = ${value}\n`);
  await writeFile(inFolder("rabbitmq.conf"), lines.join(""));
  await writeFile(inFolder("enabled_plugins"), `[${plugins.join(",")}].\n`);
  return {
    PATH: searchPath,
    LANG: "C.UTF-8",
    HOME: home,
    RABBITMQ_NODENAME: nodeName,
    RABBITMQ_CONF_ENV_FILE: inFolder("no-rabbitmq-env.conf"),
    RABBITMQ_CONFIG_FILE: inFolder("rabbitmq"),
    RABBITMQ_ADVANCED_CONFIG_FILE: inFolder("no-advanced.config"),
    RABBITMQ_GENERATED_CONFIG_DIR: inFolder("config"),
    RABBITMQ_ENABLED_PLUGINS_FILE: inFolder("enabled_plugins"),
    RABBITMQ_MNESIA_BASE: inFolder("data"),
    RABBITMQ_LOG_BASE: inFolder("log"),
    RABBITMQ_PID_FILE: inFolder("pid"),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: "127.0.0.1",
  };
}
