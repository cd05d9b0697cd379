import { after, before, describe, test } from "node:test";
import { type Program, startProgram } from "./program.ts";
import { deviationsOf } from "./quirks.ts";
import { replay } from "./replay.ts";
import { groupByConfig, readTranscripts } from "./transcript.ts";

for (const [config, transcripts] of groupByConfig(await readTranscripts("smp"))) {
  describe(`Messages are answered as recorded, with ${config}`, () => {
    let program: Program;
    before(async () => {
      program = await startProgram(transcripts[0]!.config, { withMessages: true });
    });
    after(() => program?.close());

    for (const transcript of transcripts) {
      test(`${transcript.name}: ${transcript.description}`, () =>
        replay(program, transcript, deviationsOf(transcript)));
    }
  });
}
