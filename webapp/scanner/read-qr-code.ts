/** Reads QR codes in pictures. Loaded when it is first needed. */
import { decodeQR } from "qr/decode.js";

const SIDE_MAX = 2_000;
const PICTURE_MILLIS_MAX = 1_500;

/** The text of the QR code in a picture; `undefined` when there is none, or the picture cannot be read. */
export async function readQrCode(picture: Blob): Promise<string | undefined> {
  const bitmap = await createImageBitmap(picture).catch(() => undefined);
  if (bitmap === undefined) return undefined;
  try {
    return decode(draw(bitmap, bitmap.width, bitmap.height), PICTURE_MILLIS_MAX);
  } finally {
    bitmap.close();
  }
}

/** Draws a picture on white, no side longer than two thousand pixels. */
function draw(source: CanvasImageSource, width: number, height: number): ImageData {
  const scale = Math.min(1, SIDE_MAX / Math.max(width, height));
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function decode(image: ImageData, timeLimit: number): string | undefined {
  try {
    return decodeQR(image, { format: "RGBA", timeLimit });
  } catch {
    return undefined;
  }
}

const FRAME_SIDE_MAX = 800;
const FRAME_MILLIS_MAX = 60;

/** Reads frame after frame of a video, until one has a code. */
export function createFrameReader(): (video: HTMLVideoElement) => string | undefined {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  return (video) => {
    const { videoWidth, videoHeight } = video;
    if (videoWidth === 0) return undefined;
    // The middle square is what the frame on the screen shows.
    const side = Math.min(videoWidth, videoHeight);
    const size = Math.min(side, FRAME_SIDE_MAX);
    if (canvas.width !== size) canvas.width = canvas.height = size;
    context.drawImage(video, (videoWidth - side) / 2, (videoHeight - side) / 2, side, side, 0, 0, size, size);
    return decode(context.getImageData(0, 0, size, size), FRAME_MILLIS_MAX);
  };
}
