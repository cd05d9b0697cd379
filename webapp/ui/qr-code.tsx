/** QR codes: byte mode, level L or better, four modules of quiet zone, black on white in every theme. */
import { useEffect, useState } from "preact/hooks";
import { saveFile } from "./files.ts";

const QUIET = 4;
const PIXELS_MIN = 1_000;

/** The dark modules, row by row, with the quiet zone. */
type Modules = readonly (readonly boolean[])[];

async function encode(text: string): Promise<Modules> {
  const { default: encodeQR } = await import("qr");
  return encodeQR(text, "raw", { ecc: "low", encoding: "byte", border: QUIET });
}

/** One path for all dark modules. */
const pathOf = (modules: Modules): string =>
  modules.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ""))).join("");

/** A QR code on the screen and on paper. */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const [modules, setModules] = useState<Modules | undefined>();
  useEffect(() => {
    let isCurrent = true;
    encode(text).then(
      (made) => isCurrent && setModules(made),
      () => undefined,
    );
    return () => {
      isCurrent = false;
    };
  }, [text]);
  const size = modules?.length ?? 33;
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      {modules !== undefined && <path d={pathOf(modules)} fill="#000" />}
    </svg>
  );
}

export async function saveQrSvg(text: string, name: string): Promise<void> {
  const modules = await encode(text);
  const size = modules.length;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" width="${PIXELS_MIN}" height="${PIXELS_MIN}" shape-rendering="crispEdges"><rect width="${size}" height="${size}" fill="#fff"/><path d="${pathOf(modules)}" fill="#000"/></svg>\n`;
  saveFile(name, "image/svg+xml", svg);
}

/** At least 1,000 pixels wide, each module a whole number of them. */
export async function saveQrPng(text: string, name: string): Promise<void> {
  const modules = await encode(text);
  const scale = Math.ceil(PIXELS_MIN / modules.length);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = modules.length * scale;
  const context = canvas.getContext("2d")!;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = "#000";
  for (const [y, row] of modules.entries()) {
    for (const [x, isDark] of row.entries()) {
      if (isDark) context.fillRect(x * scale, y * scale, scale, scale);
    }
  }
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob !== null) saveFile(name, "image/png", blob);
}
