/** The node's data as the running gateway sees it: what was read is used for a while. */
import { type NodeData, readNodeData, readPeerState } from "../node-data/read.ts";

/** Reads the node's data. Every function rejects with a NodeDataError when a file is missing or wrong. */
export interface NodeDirectory {
  readonly directory: string;
  /** Who this node is, not older than the cache allows. */
  node(): Promise<NodeData>;
  /** Whether a peer may connect, not older than the cache allows. Whoever may not is looked up each time. */
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

  return {
    directory,
    node: async () => {
      if (node === undefined || !isFresh(node.readAt)) {
        node = { data: await readNodeData(directory), readAt: performance.now() };
      }
      return node.data;
    },
    isActive: async (nodeId) => {
      const readAt = activeSince.get(nodeId);
      return readAt !== undefined && isFresh(readAt) ? true : isActiveNow(nodeId);
    },
    isActiveNow,
  };
}
