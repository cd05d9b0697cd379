/** The commands of the sandbox, for the command line; nothing in `src` imports them. */
import type { Command } from "../src/commands/command.ts";
import { sandboxAuthority } from "./accounting-authority/command.ts";
import { sandboxAuthorizationServer } from "./authorization-server/command.ts";
import { sandboxNodes } from "./peer-node/command.ts";
import { sandbox } from "./start.ts";

/** What the sandbox adds to `swpt-debtors`. */
export const commands: readonly Command[] = [sandbox, sandboxAuthority, sandboxAuthorizationServer, sandboxNodes];
