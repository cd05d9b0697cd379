/** The node's data as the running gateway sees it: what was read is used for a while. */
import path from "node:path";
import { NodeDataError } from "../node-data/node-data-error.ts";
import { type NodeData, readNodeData, readPeerState, readPeerSubnet } from "../node-data/read.ts";
import type { Subnet } from "../node-data/subnet.ts";

/** Reads the node's data. Every function rejects with a NodeDataError when a file is missing or wrong. */
export interface NodeDirectory {
  readonly directory: string;
  /** Who this node is, not older than the cache allows. */
  node(): Promise<NodeData>;
  /** The debtor IDs of which this node and the peer exchange messages, not older than the cache allows. */
  subnetOf(nodeId: string): Promise<Subnet>;
  /** Whether a peer may connect, not older than the cache allows. A peer that may not is looked up each time. */
  isActive(nodeId: string): Promise<boolean>;
  /** The same, as it is now. */
  isActiveNow(nodeId: string): Promise<boolean>;
}

/** Makes a reader of a node's directory. */
export function createNodeDirectory(directory: string, cacheMillisMax: number): NodeDirectory {
  let node: { readonly data: NodeData; readonly readAt: number } | undefined;
  const activeSince = new Map<string, number>();
  const isFresh = (readAt: number): boolean => performance.now() - readAt < cacheMillisMax;

  async function isActiveNow(nodeId: string): Promise<boolean> {
    const state = await readPeerState(directory, nodeId);
    if (state?.isActive) activeSince.set(nodeId, performance.now());
    else activeSince.delete(nodeId);
    return state?.isActive ?? false;
  }

  async function readNode(): Promise<NodeData> {
    if (node === undefined || !isFresh(node.readAt)) {
      node = { data: await readNodeData(directory), readAt: performance.now() };
    }
    return node.data;
  }

  return {
    directory,
    node: readNode,
    subnetOf: async (nodeId) => {
      const { nodeType, subnet } = await readNode();
      if (nodeType === "Accounting Authorities") return readPeerSubnet(directory, nodeId);
      if (subnet === undefined) {
        throw new NodeDataError(`${path.join(directory, "debtors-subnet.txt")}: missing; has a peer been registered?`);
      }
      return subnet;
    },
    isActive: async (nodeId) => {
      const readAt = activeSince.get(nodeId);
      return readAt !== undefined && isFresh(readAt) ? true : isActiveNow(nodeId);
    },
    isActiveNow,
  };
}
