/** Buttons, switches, fields: the small parts that every page is made of. */

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Icon, type IconName } from "./icons";

type Tone = "primary" | "quiet" | "danger" | "plain";

interface ButtonProps {
  testId: string;
  children: ComponentChildren;
  tone?: Tone;
  icon?: IconName;
  type?: "button" | "submit";
  disabled?: boolean;
  busy?: boolean;
  wide?: boolean;
  onClick?: (() => void) | undefined;
}

export function Button({ testId, children, tone = "quiet", icon, type = "button", disabled, busy, wide, onClick }: ButtonProps) {
  return (
    <button
      type={type}
      class={`button button-${tone}${wide ? " button-wide" : ""}`}
      data-testid={testId}
      disabled={Boolean(disabled) || Boolean(busy)}
      aria-busy={Boolean(busy)}
      onClick={onClick}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} size={20} />}
      <span class="button-text">{children}</span>
    </button>
  );
}

interface IconButtonProps {
  testId: string;
  label: string;
  icon: IconName;
  /** For switches: whether it is on. */
  pressed?: boolean | undefined;
  expanded?: boolean | undefined;
  /** The key that does the same. */
  shortcut?: string;
  variant?: "plain" | "control" | "off" | "on" | "leave";
  disabled?: boolean;
  /** It looks disabled, yet can be reached and pressed, and then says why. */
  refused?: boolean;
  size?: number;
  onClick: () => void;
  children?: ComponentChildren;
}

export function IconButton(props: IconButtonProps) {
  const { testId, label, icon, pressed, expanded, shortcut, variant = "plain", disabled, refused, size, onClick, children } = props;
  return (
    <button
      type="button"
      class={`icon-button icon-button-${variant}`}
      data-testid={testId}
      data-tip={shortcut ? `${label} (${shortcut.toUpperCase()})` : label}
      aria-label={label}
      aria-pressed={pressed}
      aria-expanded={expanded}
      aria-keyshortcuts={shortcut}
      aria-disabled={refused ? true : undefined}
      disabled={Boolean(disabled)}
      onClick={onClick}
    >
      <Icon name={icon} {...(size === undefined ? {} : { size })} />
      {children}
    </button>
  );
}

interface SwitchProps {
  testId: string;
  label: string;
  hint?: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}

export function Switch({ testId, label, hint, checked, disabled, onChange }: SwitchProps) {
  const id = useId();
  return (
    <label class="switch">
      <span class="switch-words">
        <span class="switch-label">{label}</span>
        {hint && (
          <span class="switch-hint" id={id}>
            {hint}
          </span>
        )}
      </span>
      <input
        type="checkbox"
        role="switch"
        data-testid={testId}
        checked={checked}
        disabled={Boolean(disabled)}
        aria-describedby={hint ? id : undefined}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span class="switch-track" aria-hidden="true" />
    </label>
  );
}

interface FieldProps {
  testId: string;
  label: string;
  value: string;
  /** A password: what is typed is not shown. */
  secret?: boolean;
  placeholder?: string;
  maxLength?: number;
  autocomplete?: "name" | "off";
  /** What is wrong with the value. */
  problem?: string | null;
  icon?: IconName;
  hideLabel?: boolean;
  onInput: (value: string) => void;
}

export function Field(props: FieldProps) {
  const { testId, label, value, problem, icon, hideLabel, onInput } = props;
  const id = useId();
  const input = {
    id,
    class: "input",
    dir: "auto",
    placeholder: props.placeholder,
    maxLength: props.maxLength,
    autocomplete: props.autocomplete ?? "off",
    "data-testid": testId,
    value,
    "aria-invalid": Boolean(problem),
    "aria-describedby": problem ? `${id}-problem` : undefined,
    onInput: (event: { currentTarget: HTMLInputElement }) => onInput(event.currentTarget.value),
  } as const;
  return (
    <div class="field">
      <label class={hideLabel ? "visually-hidden" : "field-label"} for={id}>
        {label}
      </label>
      <div class="field-box">
        {icon && <Icon name={icon} size={19} />}
        {props.secret ? <input {...input} type="password" /> : <input {...input} type="text" />}
      </div>
      {problem && (
        <p class="field-problem" id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  testId: string;
  label: string;
  value: T;
  options: readonly { value: T; label: string; icon?: IconName }[];
  onChange: (value: T) => void;
}

/** A few alternatives side by side. */
export function Choice<T extends string>({ testId, label, value, options, onChange }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class="visually-hidden">{label}</legend>
      {options.map((option) => (
        <label key={option.value} class="choice-option">
          <input
            type="radio"
            name={name}
            data-testid={`${testId}-${option.value}`}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          <span class="choice-face">
            {option.icon && <Icon name={option.icon} size={18} />}
            {option.label}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
