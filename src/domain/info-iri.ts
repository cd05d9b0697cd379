/** Where the public description of a debtor is, according to its configuration. Spec: messages, "AccountUpdate". */

/**
 * The string `info.iri` of configuration data that is JSON, or null when there is none. May be empty or relative: the
 * debtor's text is not checked.
 */
export function infoIriOf(configData: string): string | null {
  const info = memberOf(parse(configData), "info");
  const iri = memberOf(info, "iri");
  return typeof iri === "string" ? iri : null;
}

function parse(configData: string): unknown {
  try {
    return JSON.parse(configData); // The numbers in it do not matter.
  } catch {
    return undefined;
  }
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
