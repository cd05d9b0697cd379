/** The readable report of node's test runner without colors, its totals in the form `# tests 12`. */
import { Readable } from "node:stream";
import { spec } from "node:test/reporters";

/** A reporter for `node --test --test-reporter`. */
export default async function* report(events: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const text of Readable.from(events).compose(new spec())) {
    // oxlint-disable-next-line no-control-regex
    yield String(text)
      .replaceAll(/\x1b\[[0-9;]*m/g, "")
      .replaceAll(/^ℹ /gm, "# ");
  }
}
