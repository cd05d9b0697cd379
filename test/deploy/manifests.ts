/** The manifests of deploy/kubernetes, as `kubectl apply -k` would send them. */
import { execFile } from "node:child_process";
import { glob, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";

/** An object of Kubernetes, as far as the tests look into it. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Labels };
  // biome-ignore lint/suspicious/noExplicitAny: the schemas and TypeScript check the shape; tests read what they need.
  readonly spec?: any;
  readonly data?: Readonly<Record<string, string>>;
}

export type Labels = Readonly<Record<string, string>>;

const folder = fileURLToPath(new URL("../../deploy/kubernetes/", import.meta.url));

/** What kustomize makes of a folder of deploy/kubernetes; `undefined` where there is no kubectl. */
export const render = (name: string): Promise<KubernetesObject[] | undefined> => renderFolder(folder + name);

/** The same with one more component. */
export async function renderWith(component: string, name: string): Promise<KubernetesObject[] | undefined> {
  const overlay = await mkdtemp(path.join(await realpath(os.tmpdir()), "swpt-overlay-"));
  const list = (kind: string, target: string): string => `${kind}: [${path.relative(overlay, folder + target)}]\n`;
  try {
    const text = list("resources", name) + list("components", `components/${component}`);
    await writeFile(path.join(overlay, "kustomization.yaml"), text);
    return await renderFolder(overlay);
  } finally {
    await rm(overlay, { recursive: true });
  }
}

async function renderFolder(overlay: string): Promise<KubernetesObject[] | undefined> {
  try {
    const { stdout } = await promisify(execFile)("kubectl", ["kustomize", overlay], { maxBuffer: 2 ** 24 });
    return parse(stdout);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The objects of folders of deploy/kubernetes as they are written, before kustomize. */
export async function readSources(...folders: readonly string[]): Promise<KubernetesObject[]> {
  const objects: KubernetesObject[] = [];
  const patterns = folders.map((name) => `${name}/**/*.yaml`);
  for await (const file of glob(patterns, { cwd: folder })) {
    if (!file.endsWith("kustomization.yaml")) objects.push(...parse(await readFile(folder + file, "utf8")));
  }
  return objects;
}

const parse = (text: string): KubernetesObject[] =>
  parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    const object = document.toJS() as KubernetesObject;
    if (object.kind !== "Secret") return object;
    // kustomize breaks long lines of base64, which Kubernetes does not mind, but the schema does.
    const data = Object.entries(object.data ?? {}).map(([name, value]) => [name, value.replaceAll(/\s/g, "")]);
    return { ...object, data: Object.fromEntries(data) };
  });

/** For messages. */
export const nameOf = ({ kind, metadata }: KubernetesObject): string => `${kind} ${metadata.name}`;

/** The template of a workload's pods. */
export const podsOf = (workload: KubernetesObject) => workload.spec.template;

/** All containers of a workload's pods, those that only come first included. */
// biome-ignore lint/suspicious/noExplicitAny: see above.
export const containersOf = (workload: KubernetesObject): any[] => [
  ...(podsOf(workload).spec.initContainers ?? []),
  ...podsOf(workload).spec.containers,
];

/** The labels of a workload's pods. */
export const podLabelsOf = (workload: KubernetesObject): Labels => podsOf(workload).metadata.labels;

/** Whether a selector finds pods with these labels. */
export const selects = (selector: Labels, labels: Labels): boolean =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);
