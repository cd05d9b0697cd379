/** What the system starts the installed client with: a `.pr0` file, or a shortcut. */
import { signal } from "@preact/signals";
import { navigate } from "../ui/router.ts";

/** The file, until a screen has taken it. */
export const launchedFile = signal<Blob | undefined>(undefined);

interface LaunchParams {
  readonly targetURL?: string;
  readonly files: readonly { getFile(): Promise<File> }[];
}

/** Takes what the system hands to the client. A running client stays as it is (`launch_handler`), and is told where to go. */
export function receiveLaunches(): void {
  const { launchQueue } = globalThis as unknown as {
    launchQueue?: { setConsumer(consumer: (launch: LaunchParams) => void): void };
  };
  launchQueue?.setConsumer(({ targetURL, files: [file] }) => {
    if (file === undefined) {
      const { hash } = new URL(targetURL ?? location.href, location.href);
      if (hash !== "") navigate(hash.slice(1));
      return;
    }
    void file.getFile().then((opened) => {
      launchedFile.value = opened;
      navigate("/pay");
    });
  });
}
