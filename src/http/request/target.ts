/**
 * The request target: taken from the request line as it was sent, decoded once, matched once. Routing, authentication,
 * redirects, log and metrics all use the result, so that none of them sees another path than the others.
 * Spec: authorization, "Paths".
 */
import { parsePathId } from "../../values/int64.ts";
import { parsePathUuid, type Uuid } from "../../values/uuid.ts";
import { type Resource, resources } from "../routes/route-table.ts";

/** The parsed target of a request. The parameters are set when the resource has them. */
export interface Target {
  /** `undefined` when there is no such path. */
  readonly resource: Resource | undefined;
  /** For an unknown path that only lacks the slash at its end: the resource with the slash. */
  readonly resourceWithSlash: Resource | undefined;
  /** Whether the path is below `/debtors/`, known or not. */
  readonly isInsideApi: boolean;
  /** Whether the path is below `/debtors/.docs/`, known or not. */
  readonly isInsideDocs: boolean;
  /** The decoded path when it leads to one of these resources; otherwise empty. Its characters are safe in a header. */
  readonly path: string;
  /** What follows the first `?`, as it was sent; `undefined` when there is none. */
  readonly query: string | undefined;
  /** Signed 64-bit. */
  readonly debtorId: bigint;
  /** Signed 64-bit. */
  readonly documentId: bigint;
  readonly transferUuid: Uuid;
  readonly asset: string;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

interface Node {
  readonly children: Map<string, Node>;
  /** Reads a segment into the target; false when its form is not valid. */
  parameter?: { readonly read: (segment: string, target: Mutable<Target>) => boolean; readonly node: Node };
  resource?: Resource;
}

const parameterReaders: Record<string, (segment: string, target: Mutable<Target>) => boolean> = {
  "{debtorId}": (segment, target) => {
    const id = parsePathId(segment);
    if (id === undefined) return false;
    target.debtorId = id;
    return true;
  },
  "{documentId}": (segment, target) => {
    const id = parsePathId(segment);
    if (id === undefined) return false;
    target.documentId = id;
    return true;
  },
  "{transferUuid}": (segment, target) => {
    const uuid = parsePathUuid(segment);
    if (uuid === undefined) return false;
    target.transferUuid = uuid;
    return true;
  },
  "{asset}": (segment, target) => {
    target.asset = segment;
    return /^[a-z0-9-]+\.[a-z0-9.]+$/.test(segment);
  },
};

const root = buildRouteTrie();

// All segments of known paths consist of these, so that a known path needs no escaping anywhere.
const KNOWN_CHARACTERS = /^[A-Za-z0-9.-]*$/;

/** Parses the target of a request line: an absolute path, or a whole URL, whose authority is ignored. Never throws. */
export function parseTarget(url: string): Target {
  const target: Mutable<Target> = {
    resource: undefined,
    resourceWithSlash: undefined,
    isInsideApi: false,
    isInsideDocs: false,
    path: "",
    query: undefined,
    debtorId: 0n,
    documentId: 0n,
    transferUuid: "" as Uuid,
    asset: "",
  };
  const absoluteForm = url.startsWith("/") ? undefined : /^https?:\/\/[^/?#]*/i.exec(url);
  if (absoluteForm === null) return target;
  const start = absoluteForm === undefined ? 0 : absoluteForm[0].length;
  const mark = url.indexOf("?", start);
  if (mark !== -1) target.query = url.slice(mark + 1);
  const segments = url.slice(start, mark === -1 ? undefined : mark).split("/");
  if (segments.length < 2) return target;

  let node: Node | undefined = root;
  let path = "";
  for (let i = 1; i < segments.length; i++) {
    const segment = decodeSegment(segments[i]!);
    if (i === 1) target.isInsideApi = segment === "debtors" && segments.length > 2;
    if (i === 2) target.isInsideDocs = target.isInsideApi && segment === ".docs" && segments.length > 3;
    if (node === undefined || segment === undefined) {
      node = undefined;
      continue;
    }
    const child: Node | undefined = node.children.get(segment);
    const parameter: Node["parameter"] = child === undefined ? node.parameter : undefined;
    node = child ?? (parameter?.read(segment, target) ? parameter.node : undefined);
    path += `/${segment}`;
  }
  if (node === undefined) return target;
  target.resource = node.resource;
  target.resourceWithSlash = node.resource === undefined ? node.children.get("")?.resource : undefined;
  if (target.resource !== undefined || target.resourceWithSlash !== undefined) target.path = path;
  return target;
}

/** Decodes a segment. `undefined` when no known path can have it: bad UTF-8, slashes, backslashes, control characters. */
function decodeSegment(segment: string): string | undefined {
  if (KNOWN_CHARACTERS.test(segment)) return segment;
  if (!segment.includes("%")) return undefined;
  try {
    const decoded = decodeURIComponent(segment);
    return KNOWN_CHARACTERS.test(decoded) ? decoded : undefined;
  } catch {
    return undefined;
  }
}

function buildRouteTrie(): Node {
  const tree: Node = { children: new Map() };
  for (const resource of resources) {
    let node = tree;
    for (const segment of resource.path.split("/").slice(1)) {
      const read = parameterReaders[segment];
      if (read !== undefined) {
        node.parameter ??= { read, node: { children: new Map() } };
        node = node.parameter.node;
      } else {
        node = node.children.getOrInsertComputed(segment, () => ({ children: new Map() }));
      }
    }
    node.resource = resource;
  }
  return tree;
}
