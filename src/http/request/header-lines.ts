/** The headers of a request as they were sent, line by line. */
import type { IncomingMessage } from "node:http";

/** All lines of a header. Of some headers Node keeps only the first line elsewhere. */
export function valuesOf({ rawHeaders }: IncomingMessage, lowerCaseName: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.toLowerCase() === lowerCaseName) values.push(rawHeaders[i + 1]!);
  }
  return values;
}
