/** Writes the tables of commands and settings in README.md: `node scripts/update-docs.ts`. A test compares them. */
import { readFile, writeFile } from "node:fs/promises";
import { commandLoaders } from "../src/commands/list.ts";
import { type Setting, settings } from "../src/environment.ts";

const readme = new URL("../README.md", import.meta.url);

/** The text with its generated tables written anew. */
export async function updateTables(text: string): Promise<string> {
  const commands = await Promise.all(Object.values(commandLoaders).map((load) => load()));
  const commandRows = commands.map(({ name, summary, options }) => [
    `\`${name}\``,
    summary,
    Object.keys(options)
      .map((option) => `\`--${option}\``)
      .join(" "),
  ]);
  const settingRows = Object.entries(settings as Record<string, Setting<unknown>>).map(([name, setting]) => [
    `\`${name}\``,
    setting.default === undefined ? "" : `\`${setting.default}\``,
    setting.meaning,
    setting.allowed,
  ]);
  return replaceTable(replaceTable(text, "commands", [["Command", "Does", "Options"], ...commandRows]), "settings", [
    ["Variable", "Default", "Meaning", "May hold"],
    ...settingRows,
  ]);
}

function replaceTable(text: string, name: string, [header, ...rows]: readonly (readonly string[])[]): string {
  const [begin, end] = [`<!-- ${name}: written by scripts/update-docs.ts -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`The place of the table of ${name} is not marked`);
  const lines = [header!, header!.map(() => "---"), ...rows].map(
    (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`,
  );
  return `${text.slice(0, from + begin.length)}\n\n${lines.join("\n")}\n\n${text.slice(to)}`;
}

if (import.meta.main) await writeFile(readme, await updateTables(await readFile(readme, "utf8")));
