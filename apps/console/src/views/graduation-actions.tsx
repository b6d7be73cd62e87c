import { commandsIn } from '@outgrow/graduate'
import type { Started } from '../graduation/action-desk.ts'
import { actions, isAction, type ActionName } from '../graduation/actions.ts'
import { fileName, missingEnd, type Ends } from '../graduation/ends.ts'
import type { Seen } from '../graduation/see.ts'
import { Moment } from './moment.tsx'

interface Props {
  seen: Seen
  ends: Ends
  latest: Started | undefined
}

/** A form for each action that the state allows; none while one runs, or where this console can change nothing. */
export function GraduationActions({ seen, ends, latest }: Props) {
  const isBusy = latest !== undefined && latest.end === undefined
  const names = isBusy ? [] : allowed(seen, ends)
  return (
    <div id="graduation-actions">
      {names.map((name) => {
        const { title, text } = actions[name]
        const word = confirmation(name, ends)
        return (
          <form class="action" method="post" action={`/graduation/${name}`} aria-label={title}>
            <h3>{title}</h3>
            <p>{text}</p>
            <label>
              <span>
                Type <b>{word}</b> to confirm
              </span>
              <input
                name="confirmation"
                required
                autocomplete="off"
                autocapitalize="off"
                spellcheck={false}
              />
            </label>
            <button>{title}</button>
          </form>
        )
      })}
    </div>
  )
}

/** What the latest action has come to. */
export function ActionOutcome({ latest }: Pick<Props, 'latest'>) {
  return <div id="graduation-outcome">{latest !== undefined && <Outcome latest={latest} />}</div>
}

function Outcome({ latest: { name, at, lag, end } }: { latest: Started }) {
  const { title } = actions[name]
  if (end === undefined) {
    return (
      <section class="running" aria-label={`${title} is running`}>
        <p>
          <b>{title}</b> is running since <Moment at={at} />
          {lag !== null && lag > 0 && `: ${lag.toLocaleString('en-US')} changes to apply`}.
        </p>
        <progress aria-label={`${title} is running`} />
      </section>
    )
  }
  if (!end.ok) {
    return (
      <section class="error" aria-label={`${title} failed`}>
        <p>
          <b>{title} failed</b>, begun <Moment at={at} />: {end.message}{' '}
          {end.code !== null && <code>{end.code}</code>}
        </p>
        {end.why !== null && <p>{end.why}</p>}
        {end.fix !== null && (
          <p>
            <b>What to do:</b> {end.fix}
          </p>
        )}
      </section>
    )
  }
  return (
    <section class="notice" aria-label={`${title} is done`}>
      <p>{end.text}</p>
      {end.notes.map((note) => (
        <p>{note}</p>
      ))}
      {end.findings.map(({ table, column, reason }) => (
        <p>
          <b>{[table, column].filter((part) => part !== null).join('.')}</b> {reason}
        </p>
      ))}
    </section>
  )
}

/** The actions that are possible now, where there are both ends. */
export function allowed({ status }: Seen, ends: Ends): ActionName[] {
  if (status === undefined || missingEnd(ends) !== undefined) return []
  return commandsIn[status.state].filter(isAction)
}

/** What is to be typed. */
export function confirmation(name: ActionName, { from = '' }: Ends): string {
  return actions[name].word ?? fileName(from)
}
