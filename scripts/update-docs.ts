/** Writes the tables of commands (docs/commands.md) and settings (docs/settings.md): `npm run docs`. A test compares them. */
import { readFile, writeFile } from "node:fs/promises";
import { commandLoaders } from "../src/commands/list.ts";
import { settings } from "../src/environment.ts";
import type { Setting } from "../src/setting-kinds.ts";

/** A document with a generated table. */
export interface GeneratedTable {
  readonly file: URL;
  /** The text with its table written anew. */
  readonly update: (text: string) => Promise<string>;
}

/** All documents with generated tables. */
export const generatedTables: readonly GeneratedTable[] = [
  {
    file: new URL("../docs/commands.md", import.meta.url),
    update: async (text) => replaceTable(text, "commands", [["Command", "Does", "Options"], ...(await commandRows())]),
  },
  {
    file: new URL("../docs/settings.md", import.meta.url),
    update: async (text) =>
      replaceTable(text, "settings", [["Variable", "Default", "Meaning", "Allowed values"], ...settingRows()]),
  },
];

async function commandRows(): Promise<string[][]> {
  const commands = await Promise.all(Object.values(commandLoaders).map((load) => load()));
  return commands.map(({ name, summary, options, positionals = [] }) => [
    `\`${[name, ...positionals.map((argument) => argument.name)].join(" ")}\``,
    summary,
    Object.keys(options)
      .map((option) => `\`--${option}\``)
      .join(" "),
  ]);
}

const settingRows = (): string[][] =>
  Object.entries<Setting<unknown>>(settings).map(([name, setting]) => [
    `\`${name}\``,
    setting.default === undefined ? "" : `\`${setting.default}\``,
    setting.meaning,
    setting.allowed,
  ]);

function replaceTable(text: string, name: string, [header, ...rows]: readonly (readonly string[])[]): string {
  const [begin, end] = [`<!-- ${name}: written by scripts/update-docs.ts -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`The place of the table of ${name} is not marked`);
  const lines = [header!, header!.map(() => "---"), ...rows].map(
    (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`,
  );
  return `${text.slice(0, from + begin.length)}\n\n${lines.join("\n")}\n\n${text.slice(to)}`;
}

if (import.meta.main) {
  for (const { file, update } of generatedTables) await writeFile(file, await update(await readFile(file, "utf8")));
}
