/** The camera, looking for a QR code. It stops when this closes and when the page is hidden. */
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/i18n.ts";
import { Busy, Notice } from "../ui/blocks.tsx";
import { Button, Select } from "../ui/controls.tsx";

type Trouble = "denied" | "missing" | "failed";

/** `torch` is not yet in TypeScript's library. */
type TorchCapabilities = MediaTrackCapabilities & { torch?: boolean };

export function Scanner({ onText }: { readonly onText: (text: string) => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const [trouble, setTrouble] = useState<Trouble | undefined>();
  const [isOn, setOn] = useState(false);
  const [cameras, setCameras] = useState<readonly MediaDeviceInfo[]>([]);
  const [cameraId, setCameraId] = useState("");
  const [track, setTrack] = useState<MediaStreamTrack | undefined>();
  const [isLit, setLit] = useState(false);
  const [isVisible, setVisible] = useState(!document.hidden);
  const report = useRef(onText);
  report.current = onText;

  useEffect(() => {
    const look = (): void => setVisible(!document.hidden);
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);

  useEffect(() => {
    if (!isVisible) return;
    const stop = new AbortController();
    run({
      video: video.current!,
      cameraId,
      signal: stop.signal,
      onStart: (started, all) => {
        setOn(true);
        setTrack(started);
        setCameras(all);
      },
      onText: (text) => report.current(text),
    }).catch((error: unknown) => {
      if (!stop.signal.aborted) setTrouble(troubleOf(error));
    });
    return () => {
      stop.abort();
      setOn(false);
      setLit(false);
    };
  }, [cameraId, isVisible]);

  const words = t().scanner;
  if (trouble !== undefined) {
    return (
      <Notice kind="warn" live>
        <p>{words[trouble]}</p>
      </Notice>
    );
  }
  const light = async (): Promise<void> => {
    await track?.applyConstraints({ advanced: [{ torch: !isLit } as MediaTrackConstraintSet] }).then(
      () => setLit(!isLit),
      () => undefined,
    );
  };
  const hasTorch = (track?.getCapabilities?.() as TorchCapabilities | undefined)?.torch === true;
  return (
    <div class="stack">
      <p class="muted">{words.hint}</p>
      <div class="camera">
        <video ref={video} playsInline muted aria-label={words.video} />
        <div class="camera-frame" aria-hidden="true" />
      </div>
      {!isOn && <Busy>{words.starting}</Busy>}
      <div class="row">
        {hasTorch && (
          <Button icon="torch" pressed={isLit} onClick={() => void light()}>
            {words.torch}
          </Button>
        )}
        {cameras.length > 1 && (
          <div class="grow">
            <Select
              label={words.camera}
              value={cameraId || (track?.getSettings().deviceId ?? "")}
              options={Object.fromEntries(
                cameras.map(({ deviceId, label }, i) => [deviceId, label || words.cameraNumber(i + 1)]),
              )}
              onChange={setCameraId}
            />
          </div>
        )}
      </div>
    </div>
  );
}

interface Run {
  readonly video: HTMLVideoElement;
  readonly cameraId: string;
  readonly signal: AbortSignal;
  readonly onStart: (track: MediaStreamTrack | undefined, cameras: readonly MediaDeviceInfo[]) => void;
  readonly onText: (text: string) => void;
}

async function run({ video, cameraId, signal, onStart, onText }: Run): Promise<void> {
  const loading = import("./read-qr-code.ts");
  const which = cameraId === "" ? { facingMode: "environment" } : { deviceId: { exact: cameraId } };
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { ...which, width: { ideal: 1280 }, height: { ideal: 720 } },
  });
  const stop = (): void => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  if (signal.aborted) return stop();
  signal.addEventListener("abort", stop);
  video.srcObject = stream;
  await video.play();
  const devices = await navigator.mediaDevices.enumerateDevices();
  const { createFrameReader } = await loading;
  if (signal.aborted) return;
  onStart(
    stream.getVideoTracks()[0],
    devices.filter(({ kind }) => kind === "videoinput"),
  );
  const readFrame = createFrameReader();
  while (!signal.aborted) {
    const text = readFrame(video);
    if (text !== undefined) {
      onText(text);
      return stop();
    }
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
}

function troubleOf(error: unknown): Trouble {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  // Without https there is no `mediaDevices` at all.
  if (name === "NotFoundError" || name === "OverconstrainedError" || error instanceof TypeError) return "missing";
  return "failed";
}
