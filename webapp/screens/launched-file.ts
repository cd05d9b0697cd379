/** A `.pr0` file that was opened in the installed client. */
import { signal } from "@preact/signals";
import { navigate } from "../ui/router.ts";

/** The file, until a screen has taken it. */
export const launchedFile = signal<Blob | undefined>(undefined);

interface LaunchQueue {
  setConsumer(consumer: (launch: { readonly files: readonly { getFile(): Promise<File> }[] }) => void): void;
}

/** Takes what the system hands to the client. */
export function receiveLaunchedFiles(): void {
  const { launchQueue } = globalThis as unknown as { launchQueue?: LaunchQueue };
  launchQueue?.setConsumer(({ files: [file] }) => {
    void file?.getFile().then((opened) => {
      launchedFile.value = opened;
      navigate("/pay");
    });
  });
}
