import type { PropsWithChildren } from 'hono/jsx'

type FieldProps = PropsWithChildren<{
  name: string
  label: string
  hint?: string
  error?: string | undefined
}>

/** A label, its control and what is wrong with it. The control has the id `f-<name>`. */
export function Field({ name, label, hint, error, children }: FieldProps) {
  return (
    <div class={error === undefined ? 'field' : 'field wrong'}>
      <label for={`f-${name}`}>{label}</label>
      {hint !== undefined && (
        <p class="hint" id={`h-${name}`}>
          {hint}
        </p>
      )}
      {children}
      {error !== undefined && (
        <p class="error" id={`e-${name}`}>
          {error}
        </p>
      )}
    </div>
  )
}

/** What ties a control to its label, hint and error. */
export function control(name: string, error?: string, hint?: boolean) {
  const described = [hint ? `h-${name}` : '', error === undefined ? '' : `e-${name}`]
    .filter(Boolean)
    .join(' ')
  return {
    id: `f-${name}`,
    name,
    ...(described === '' ? {} : { 'aria-describedby': described }),
    ...(error === undefined ? {} : { 'aria-invalid': 'true' as const }),
  }
}
