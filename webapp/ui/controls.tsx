/** Buttons, fields and choices: each has a name, a visible label, and its error beside it. */
import type { ComponentChildren, TargetedEvent } from "preact";
import { useId, useRef } from "preact/hooks";
import { Icon, type IconName } from "./icon.tsx";

type ButtonKind = "primary" | "danger" | "quiet" | "plain";

interface ButtonProps {
  readonly kind?: ButtonKind;
  readonly icon?: IconName | undefined;
  /** Only the icon is seen; the children are its name. */
  readonly iconOnly?: boolean;
  readonly wide?: boolean;
  /** On a phone only the icon is seen. */
  readonly compact?: boolean;
  readonly disabled?: boolean | undefined;
  readonly pressed?: boolean | undefined;
  readonly describedBy?: string | undefined;
  readonly children: ComponentChildren;
}

const classOf = ({ kind = "plain", iconOnly, wide, compact }: ButtonProps): string =>
  [
    "button",
    kind === "plain" ? "" : `button-${kind}`,
    iconOnly ? "button-icon" : "",
    wide ? "button-wide" : "",
    compact ? "button-compact" : "",
  ]
    .filter((name) => name !== "")
    .join(" ");

const contentOf = ({ icon, iconOnly, children }: ButtonProps, iconSize = 20) => (
  <>
    {icon !== undefined && <Icon name={icon} size={iconSize} />}
    <span class={iconOnly ? "visually-hidden" : undefined}>{children}</span>
  </>
);

/** A button that does something. A disabled one keeps the focus, so that nobody loses the place. */
export function Button(props: ButtonProps & { readonly onClick?: () => void; readonly submit?: boolean }) {
  const { disabled = false, pressed, onClick, submit = false, describedBy } = props;
  return (
    <button
      type={submit ? "submit" : "button"}
      class={classOf(props)}
      aria-disabled={disabled ? "true" : undefined}
      aria-pressed={pressed === undefined ? undefined : pressed ? "true" : "false"}
      aria-describedby={describedBy}
      onClick={(event) => {
        if (disabled) event.preventDefault();
        else onClick?.();
      }}
    >
      {contentOf(props)}
    </button>
  );
}

/** A link to another screen that looks like a button. */
export function ButtonLink(props: ButtonProps & { readonly to: string }) {
  return (
    <a class={classOf(props)} href={`#${props.to}`}>
      {contentOf(props)}
    </a>
  );
}

/** A button that lets the user choose a file. */
export function FileButton({
  accept,
  onFile,
  tile = false,
  ...props
}: ButtonProps & { readonly accept: string; readonly onFile: (file: File) => void; readonly tile?: boolean }) {
  const id = useId();
  return (
    <>
      <input
        id={id}
        type="file"
        hidden
        accept={accept}
        onChange={({ currentTarget }) => {
          const [file] = currentTarget.files ?? [];
          if (file !== undefined) onFile(file);
          currentTarget.value = "";
        }}
      />
      <button type="button" class={tile ? "tile" : classOf(props)} onClick={() => document.getElementById(id)?.click()}>
        {contentOf(props, tile ? 28 : 20)}
      </button>
    </>
  );
}

interface FieldProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly error?: string | undefined;
  readonly required?: boolean;
}

/** The label, the hint and the error of a control, tied to it by IDs. */
function Field({
  label,
  hint,
  error,
  children,
}: FieldProps & { readonly children: (ids: { id: string; describedBy: string | undefined }) => ComponentChildren }) {
  const id = useId();
  const described = [hint === undefined ? "" : `${id}-hint`, error === undefined ? "" : `${id}-error`];
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, describedBy: described.join(" ").trim() || undefined })}
      {error !== undefined && <FieldError id={`${id}-error`}>{error}</FieldError>}
      {hint !== undefined && (
        <div class="hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
    </div>
  );
}

/** What is wrong with a field, in words. */
export function FieldError({ id, children }: { readonly id?: string; readonly children: ComponentChildren }) {
  return (
    <div class="field-error" id={id}>
      <Icon name="warning" size={18} />
      <span>{children}</span>
    </div>
  );
}

interface TextFieldProps extends FieldProps {
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly type?: "text" | "url" | "search" | "date";
  readonly inputMode?: "text" | "decimal" | "numeric" | "url";
  readonly placeholder?: string | undefined;
  readonly prefix?: string | undefined;
  readonly suffix?: string | undefined;
  readonly short?: boolean;
  readonly autocomplete?: string;
  readonly list?: string;
}

/** One line of text. */
export function TextField(props: TextFieldProps) {
  const { value, onInput, type = "text", inputMode, placeholder, prefix, suffix, short, error, required, list } = props;
  return (
    <Field {...props}>
      {({ id, describedBy }) => (
        <div class={`input-affix ${short ? "input-short" : ""}`}>
          {prefix !== undefined && <span class="affix">{prefix}</span>}
          <input
            id={id}
            class="input"
            type={type}
            value={value}
            inputMode={inputMode}
            placeholder={placeholder}
            autocomplete={props.autocomplete ?? "off"}
            spellcheck={false}
            list={list}
            aria-required={required ? "true" : undefined}
            aria-invalid={error === undefined ? undefined : "true"}
            aria-describedby={describedBy}
            onInput={({ currentTarget }) => onInput(currentTarget.value)}
          />
          {suffix !== undefined && <span class="affix">{suffix}</span>}
        </div>
      )}
    </Field>
  );
}

/** Several lines of text. */
export function TextArea(props: FieldProps & { value: string; onInput: (value: string) => void; rows?: number }) {
  const { value, onInput, rows = 3, error } = props;
  return (
    <Field {...props}>
      {({ id, describedBy }) => (
        <textarea
          id={id}
          class="input"
          rows={rows}
          value={value}
          aria-invalid={error === undefined ? undefined : "true"}
          aria-describedby={describedBy}
          onInput={({ currentTarget }) => onInput(currentTarget.value)}
        />
      )}
    </Field>
  );
}

/** A choice of one among few. */
export function Select<Value extends string>(
  props: FieldProps & {
    readonly value: Value;
    readonly options: Readonly<Record<Value, string>>;
    readonly onChange: (value: Value) => void;
  },
) {
  const { value, options, onChange, error } = props;
  return (
    <Field {...props}>
      {({ id, describedBy }) => (
        <select
          id={id}
          class="input"
          value={value}
          aria-invalid={error === undefined ? undefined : "true"}
          aria-describedby={describedBy}
          onChange={({ currentTarget }) => onChange(currentTarget.value as Value)}
        >
          {(Object.entries(options) as [Value, string][]).map(([key, label]) => (
            <option key={key} value={key} selected={key === value}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** On or off. */
export function Checkbox({
  label,
  hint,
  checked,
  onChange,
}: {
  readonly label: ComponentChildren;
  readonly hint?: ComponentChildren;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}) {
  const id = useId();
  return (
    <div class="check">
      <input
        id={id}
        type="checkbox"
        checked={checked}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={({ currentTarget }) => {
          const wanted = currentTarget.checked;
          // It shows what is so, also when what was wanted is not granted.
          currentTarget.checked = checked;
          onChange(wanted);
        }}
      />
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <div class="hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
    </div>
  );
}

/** A form whose submission stays on the page; afterwards the focus is on the first field that is wrong. */
export function Form({
  onSubmit,
  children,
  label,
}: {
  readonly onSubmit: () => unknown;
  readonly children: ComponentChildren;
  readonly label?: string;
}) {
  const isUnderWay = useRef(false);
  const submit = async (event: TargetedEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    // Enter pressed twice is one intent.
    if (isUnderWay.current) return;
    isUnderWay.current = true;
    const form = event.currentTarget;
    await Promise.resolve(onSubmit()).finally(() => {
      isUnderWay.current = false;
    });
    requestAnimationFrame(() => form.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
  };
  return (
    <form class="stack" noValidate aria-label={label} onSubmit={(event) => void submit(event)}>
      {children}
    </form>
  );
}
