/** Reads the variables one by one, and says what is wrong with them. */
import { type Environment, type SettingName, settings, type ValueOf } from "./environment.ts";
import type { Setting } from "./setting-kinds.ts";

/** The values of the variables. Nothing uses the value of a variable that is not valid, or missing. */
export interface Values {
  get<Name extends SettingName>(name: Name): ValueOf<Name>;
  /** Null when it is not set. */
  find<Name extends SettingName>(name: Name): ValueOf<Name> | null;
  isSet(name: SettingName): boolean;
  isInvalid(name: SettingName): boolean;
}

/** Reads all variables; adds a problem for each that is not valid. */
export function readValues(environment: Environment, problems: string[]): Values {
  const values: Partial<Record<SettingName, unknown>> = {};
  const substituted = substituteLocalhost(environment);
  for (const [name, setting] of Object.entries<Setting<unknown>>(settings)) {
    // An empty variable is how compose files say "not set", and a secret that was made with `echo` ends with a line feed.
    const text = substituted[name]?.trim() || setting.default;
    if (text === undefined) continue;
    const { value, reason } = parseSetting(setting, text);
    if (value === undefined) {
      const why = reason === undefined ? "" : ` (${reason})`;
      problems.push(`${name}: ${quote(name, text)} is not valid${why}; expected ${setting.allowed}.`);
    }
    values[name as SettingName] = value;
  }
  return {
    get: <Name extends SettingName>(name: Name) => values[name] as ValueOf<Name>,
    find: <Name extends SettingName>(name: Name) => (values[name] ?? null) as ValueOf<Name> | null,
    isSet: (name) => name in values,
    isInvalid: (name) => name in values && values[name] === undefined,
  };
}

function parseSetting<Value>({ parse }: Setting<Value>, text: string): { value?: Value | undefined; reason?: string } {
  try {
    return { value: parse(text) };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

/** Whether the variable is set and valid; adds a problem when it is not set. */
export function isThere(name: SettingName, values: Values, problems: string[]): boolean {
  if (!values.isSet(name)) problems.push(`${name} is not set; expected ${settings[name].allowed}.`);
  return values.isSet(name) && !values.isInvalid(name);
}

/** In development containers `localhost` is the container itself; its host has another name. */
function substituteLocalhost(environment: Environment): Environment {
  const names = (environment.SUBSTITUTE_LOCALHOST_IN_VARS ?? "").split(/[\s,]+/).filter((name) => name !== "");
  const changed = names.map((name) => [
    name,
    environment[name]?.replace(/(?<=\/\/(?:[^/@]*@)?)localhost(?=[:/]|$)/, "host.docker.internal"),
  ]);
  return { ...environment, ...Object.fromEntries(changed) };
}

/** A problem must not show a password that a URL holds. */
const quote = (name: string, held: string): string =>
  // Up to the last @, since it may be the password that is not valid in a URL; and none of its parameters.
  name.endsWith("_SECRET")
    ? '"***"'
    : name.endsWith("_URL")
      ? JSON.stringify(held.replace(/^([a-z+]*:\/\/)?.*@/is, "$1***@").replace(/=.*/s, "=***"))
      : JSON.stringify(held);
