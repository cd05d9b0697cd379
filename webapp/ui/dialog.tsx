/** Questions and lists that lie over the screen. The browser keeps the focus within, and gives it back afterwards. */
import type { ComponentChildren, TargetedMouseEvent } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../i18n/i18n.ts";
import { Button } from "./controls.tsx";

/** Shown as long as it is rendered. Escape and a click beside it close it; a press that begins within it does not. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const isPressedBeside = useRef(false);
  useEffect(() => {
    const { activeElement } = document;
    dialog.current?.showModal();
    return () => {
      if (activeElement instanceof HTMLElement && activeElement.isConnected) activeElement.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does what a click beside the dialog does.
    <dialog
      ref={dialog}
      class="fade-in"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => {
        isPressedBeside.current = isBeside(event);
      }}
      onClick={(event) => {
        if (isPressedBeside.current && isBeside(event)) onClose();
      }}
    >
      <div class="stack">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

/** Whether a press is on the backdrop: the dialog's own margin belongs to the dialog. */
function isBeside({ target, currentTarget, clientX, clientY }: TargetedMouseEvent<HTMLDialogElement>): boolean {
  const { left, right, top, bottom } = currentTarget.getBoundingClientRect();
  return target === currentTarget && (clientX < left || clientX > right || clientY < top || clientY > bottom);
}

/** A question with two answers. */
export function Question({
  title,
  yes,
  no,
  danger = false,
  onYes,
  onNo,
  children,
}: {
  readonly title: string;
  readonly yes: string;
  readonly no?: string;
  readonly danger?: boolean;
  readonly onYes: () => void;
  readonly onNo: () => void;
  readonly children?: ComponentChildren;
}) {
  return (
    <Dialog title={title} onClose={onNo}>
      {children}
      <div class="actions">
        <Button kind={danger ? "danger" : "primary"} onClick={onYes}>
          {yes}
        </Button>
        <Button onClick={onNo}>{no ?? t().common.cancel}</Button>
      </div>
    </Dialog>
  );
}
