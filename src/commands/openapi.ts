/** `openapi`: the description of the HTTP API. */
import { writeFile } from "node:fs/promises";
import { CommandError } from "../runtime/command-error.ts";
import { printResult } from "../runtime/output.ts";
import type { Command } from "./command.ts";

export const openapi: Command = {
  name: "openapi",
  summary: "Print the OpenAPI document of the HTTP API",
  help: "Needs neither settings nor servers.",
  options: {
    output: { type: "string", valueName: "FILE", meaning: "Write it to a file instead of standard output" },
  },
  async run({ values }) {
    const { buildOpenApiDocument } = await import("../http/openapi/document.ts");
    const text = `${JSON.stringify(buildOpenApiDocument(), undefined, 2)}\n`;
    if (typeof values.output !== "string") printResult(text);
    else {
      await writeFile(values.output, text).catch((error: Error) => {
        throw new CommandError(`Cannot write the document: ${error.message}.`);
      });
    }
    return 0;
  },
};
