/** Icons, drawn with lines of the text's colour. They are decoration: whatever has one has words too. */

const paths = {
  overview: "M4 13h6V4H4zM14 20h6V4h-6zM4 20h6v-3H4z",
  payments: "M4 7h16M4 12h16M4 17h10",
  pay: "M12 19V5M6 11l6-6 6 6",
  coin: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 8v8M9.5 10.5 12 8l2.5 2.5",
  currency: "M4 6h10M18 6h2M4 12h2M10 12h10M4 18h10M18 18h2M16 4v4M8 10v4M16 16v4",
  batch: "M8 4h12v12M4 8h12v12H4zM7 12h6M7 16h4",
  contacts: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5",
  journal: "M6 4h12v16H6zM9.5 9h5M9.5 13h5",
  settings:
    "M12 15.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2M16.2 16.2l2.2 2.2M18.4 5.6l-2.2 2.2M7.8 16.2l-2.2 2.2",
  guide: "M5 20V5l7 3 7-3v12l-7 3z",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  back: "M15 5l-7 7 7 7",
  forward: "M9 5l7 7-7 7",
  reload: "M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6",
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z",
  file: "M7 3h7l4 4v14H7zM14 3v4h4M10 13h5M10 17h5",
  paste: "M9 4h6v3H9zM8 5H6v16h12V5h-2M9.5 12h5M9.5 16h5",
  edit: "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
  template: "M5 4h14v16H5zM8.5 9h7M8.5 13h4",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  share: "M12 15V4M8 7.5 12 4l4 3.5M5 12v8h14v-8",
  download: "M12 4v11M8 11.5l4 3.5 4-3.5M5 20h14",
  upload: "M12 16V5M8 8.5 12 5l4 3.5M5 20h14",
  print: "M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6 6l12 12M18 6L6 18",
  warning: "M12 4 2.5 20h19zM12 10v4.5M12 17.5v.01",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 8v.01",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7.5V12l3 2",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5 20 20",
  trash: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  torch: "M8 3h8v4l-2 3v11h-4V10L8 7zM8 7h8",
  flip: "M4 9h13l-3-3M20 15H7l3 3",
  offline: "M4 4l16 16M8.5 16a5 5 0 0 1 5-1.2M5 12.5a10 10 0 0 1 4.5-2.6M19 12.5a10 10 0 0 0-4-2.5M12 19.5v.01",
  flame: "M12 3c1 4 5 6 5 11a5 5 0 0 1-10 0c0-2 1-3.5 2-4.5.3 1.5 1 2.5 2 3C11 9 11 6 12 3z",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  door: "M14 4h5v16h-5M4 12h11M11 8l4 4-4 4",
  wallet: "M4 7h14v12H4zM4 7l10-3v3M14.5 13h.01",
} as const;

export type IconName = keyof typeof paths;

/** `size` in pixels of text that has the usual size; it grows with the text. */
export function Icon({ name, size = 24 }: { readonly name: IconName; readonly size?: number }) {
  const side = `${size / 16}rem`;
  return (
    <svg
      width={side}
      height={side}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width={name === "more" ? 3 : 1.75}
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={paths[name]} />
    </svg>
  );
}
