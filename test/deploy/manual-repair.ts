/** The statements by which the manual has a database repaired that has lost time. */
import { readFile } from "node:fs/promises";

/** docs/operations.md, "Backup and restore", step 3. */
export async function repairAfterLostTime(): Promise<string> {
  const manual = await readFile(new URL("../../docs/operations.md", import.meta.url), "utf8");
  return /```sql\n([^`]*setval[^`]*)```/.exec(manual)![1]!;
}
