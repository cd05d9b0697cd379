/** `swpt-debtors sandbox_nodes`: the directories of an agent and of an accounting authority that know each other. */
import { rm, stat } from "node:fs/promises";
import path from "node:path";
import { type Command, UsageError } from "../../src/commands/command.ts";
import { readConfig } from "../../src/config.ts";
import { parseServerAddress } from "../../src/node-data/stomp-toml.ts";
import { printResult } from "../../src/runtime/output.ts";
import { createNodePair } from "./node-pair.ts";

export const sandboxNodes: Command = {
  name: "sandbox_nodes",
  summary: "Make two nodes for trials that are each other's peer; no store of value",
  help: `
Makes the directories "agent" and "authority" in the directory of SWPT_NODEDATA_URL, with everything that STOMP servers and
clients need, and without the root keys: nothing can be signed later. Does nothing when they already exist.`,
  options: {
    "authority-id": { type: "string", valueName: "ID", meaning: "The authority's node ID, 8 hexadecimal digits" },
    "agent-server": { type: "string", valueName: "HOST:PORT", meaning: "Where the agent's STOMP server is reached" },
    "authority-server": { type: "string", valueName: "HOST:PORT", meaning: "Where the authority's is reached" },
  },
  run: async ({ values, environment }) => {
    const folder = readConfig(environment, []).nodeDataDirectory;
    const authorityId = String(values["authority-id"] ?? "");
    if (!/^[0-9a-f]{8}$/.test(authorityId)) {
      throw new UsageError("--authority-id: expected 8 lower-case hexadecimal digits.");
    }
    const [agentServer, authorityServer] = ["agent-server", "authority-server"].map((name) => {
      const address = String(values[name] ?? "");
      if (parseServerAddress(address) === undefined) {
        throw new UsageError(`--${name}: expected an address such as stomp.example.com:1234.`);
      }
      return address;
    }) as [string, string];
    // Created last: what an interrupted start has left is created again.
    const isComplete = await stat(path.join(folder, "authority/peers")).then(
      () => true,
      () => false,
    );
    if (isComplete) {
      printResult("The nodes already exist.\n");
      return 0;
    }
    for (const name of ["agent", "authority"]) await rm(path.join(folder, name), { recursive: true, force: true });
    const { agent, authority, subnet } = await createNodePair({ folder, authorityId, agentServer, authorityServer });
    for (const { directory } of [agent, authority]) await rm(path.join(directory, "private"), { recursive: true });
    printResult(
      `The agent ${agent.nodeId} has the debtor IDs ${subnet.minDebtorId} to ${subnet.maxDebtorId}, and the accounting authority ${authority.nodeId}.\n`,
    );
    return 0;
  },
};
