/**
 * Does what a Dockerfile says, without a container engine: each stage is a folder. COPY copies, and RUN runs, save for what
 * only root in a container may do (apt-get), which is left to the test to look at. Base images are taken as empty.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, rm, stat } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Copy, type Dockerfile, DockerfileParser, type Instruction } from "dockerfile-ast";

const run = promisify(execFile);
export const repository = fileURLToPath(new URL("../..", import.meta.url));

/** One image, or stage. */
export interface Stage {
  readonly name: string;
  /** The name of a stage or of an image. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

export const readDockerfile = async (): Promise<string> => readFile(path.join(repository, "Dockerfile"), "utf8");

export function parseStages(text: string): Map<string, Stage> {
  const dockerfile: Dockerfile = DockerfileParser.parse(text);
  const stages = new Map<string, Stage>();
  for (const instruction of dockerfile.getInstructions()) {
    if (instruction.getKeyword() === "FROM") {
      const [base, , name] = argumentsOf(instruction);
      stages.set(name!, { name: name!, base: base!, instructions: [] });
    } else {
      const last = [...stages.values()].at(-1)!;
      stages.set(last.name, { ...last, instructions: [...last.instructions, instruction] });
    }
  }
  return stages;
}

export const argumentsOf = (instruction: Instruction): string[] =>
  instruction.getArguments().map((argument) => argument.getValue());

/** The last of such instructions in the stage, or in what it is made from. */
export function findInstruction(stages: Map<string, Stage>, name: string, keyword: string): Instruction | undefined {
  const stage = stages.get(name);
  if (stage === undefined) return undefined;
  return (
    stage.instructions.findLast((instruction) => instruction.getKeyword() === keyword) ??
    findInstruction(stages, stage.base, keyword)
  );
}

/** The arguments in the exec form: `["node", "x.js"]`. */
export const execForm = (instruction: Instruction | undefined): string[] =>
  JSON.parse(instruction?.getRawArgumentsContent()?.replace(/^.*?CMD (?=\[)/s, "") ?? "null") as string[];

/** The source and the target of a COPY, and the stage it takes from. */
export function copyOf(instruction: Instruction): { sources: string[]; target: string; from: string | undefined } {
  const from = (instruction as Copy)
    .getFlags()
    .find((flag) => flag.getName() === "from")
    ?.getValue();
  const paths = argumentsOf(instruction);
  return { sources: paths.slice(0, -1), target: paths.at(-1)!, from: from ?? undefined };
}

/** Builds the stage in a folder of that name, after the stages that it needs. Returns the folder. */
export async function buildStage(stages: Map<string, Stage>, name: string, folder: string): Promise<string> {
  const root = path.join(folder, name);
  const stage = stages.get(name)!;
  if (await isThere(root)) return root;
  if (stages.has(stage.base)) {
    await cp(await buildStage(stages, stage.base, folder), root, { recursive: true, verbatimSymlinks: true });
  } else await mkdir(root, { recursive: true });
  let workFolder = findWorkFolder(stages, stage.base);
  for (const instruction of stage.instructions) {
    switch (instruction.getKeyword()) {
      case "WORKDIR":
        workFolder = argumentsOf(instruction)[0]!;
        await mkdir(path.join(root, workFolder), { recursive: true });
        break;
      case "COPY": {
        const { sources, target, from } = copyOf(instruction);
        const context = from === undefined ? repository : await buildStage(stages, from, folder);
        const destination = path.join(root, path.resolve(workFolder, target));
        for (const source of sources) {
          const isFolderWanted = target.endsWith("/") || sources.length > 1;
          const to = isFolderWanted ? path.join(destination, path.basename(source)) : destination;
          // As in a build, a folder's content takes the place of what is there, file by file.
          await mkdir(path.dirname(to), { recursive: true });
          await cp(path.join(context, source), to, { recursive: true, verbatimSymlinks: true });
        }
        break;
      }
      case "RUN": {
        const command = instruction.getRawArgumentsContent()!;
        if (!command.startsWith("apt-get")) await runIn(path.join(root, workFolder), command);
      }
    }
  }
  return root;
}

const findWorkFolder = (stages: Map<string, Stage>, name: string): string => {
  const instruction = findInstruction(stages, name, "WORKDIR");
  return instruction === undefined ? "/" : argumentsOf(instruction)[0]!;
};

/** With the Node.js that runs this test, as that of the system may be an old one. */
async function runIn(folder: string, command: string): Promise<void> {
  const environment = {
    PATH: `${path.dirname(process.execPath)}:${process.env.PATH}`,
    HOME: process.env.HOME,
    TMPDIR: process.env.TMPDIR, // npm keeps compiled code there.
    npm_config_prefer_offline: "true",
  };
  await run("/bin/sh", ["-e", "-c", command], { cwd: folder, env: environment, timeout: 200_000 });
}

export const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

export const removeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });
