import { commandsIn, type GraduationStatus } from '@outgrow/graduate'
import { missingEnd, targetName, type Ends } from '../graduation/ends.ts'
import type { Seen } from '../graduation/see.ts'
import { commandLines, states } from '../graduation/states.ts'
import { Moment } from './moment.tsx'

/** Where a live graduation is: its state, how far Postgres follows, and who takes part. */
export function GraduationStatusPanel({ seen, ends }: { seen: Seen; ends: Ends }) {
  const { status, problem } = seen
  const missing = missingEnd(ends)
  return (
    <section id="graduation-status" class="verdict" aria-labelledby="live-graduation">
      <h2 id="live-graduation">Live graduation</h2>
      {status && <Status status={status} ends={ends} />}
      {problem !== undefined && <p class="error">{problem}</p>}
      {missing !== undefined && <p class="quiet">{missing}</p>}
    </section>
  )
}

function Status({ status, ends }: { status: GraduationStatus; ends: Ends }) {
  const { state, since, name, obstacles } = status
  const isUnderWay = state !== 'none' && state !== 'completed'
  return (
    <>
      <ol class="meter" aria-label={`State: ${state}`}>
        {Object.keys(states).map((one) => (
          <li class={one === state ? 'here fine' : ''} aria-current={one === state ? 'step' : undefined}>
            {one}
          </li>
        ))}
      </ol>
      <p class="state">
        {states[state]}{' '}
        {since !== null && (
          <span class="quiet">
            Since <Moment at={since} />.
          </span>
        )}
      </p>
      <dl>
        {name !== null && (
          <>
            <dt>Graduation</dt>
            <dd>
              <code>{name}</code>
              {ends.to !== undefined && (
                <>
                  {' '}
                  to <code>{targetName(ends.to)}</code>
                </>
              )}
            </dd>
          </>
        )}
        <dt>Commands</dt>
        <dd>
          <Commands state={state} />
        </dd>
        {isUnderWay && <Progress status={status} />}
      </dl>
      {isUnderWay && obstacles.length > 0 && (
        <ul class="reasons" aria-label="In the way of the switch">
          {obstacles.map((obstacle) => (
            <li>
              <strong class="level plan">in the way</strong>
              <p>{obstacle}</p>
            </li>
          ))}
        </ul>
      )}
      {isUnderWay && <Processes processes={status.processes} />}
      <Pauses pauses={status.pauses} />
    </>
  )
}

function Commands({ state }: Pick<GraduationStatus, 'state'>) {
  const lines = commandsIn[state].map((command) => commandLines[command]).filter((line) => line !== null)
  if (lines.length === 0) return <>none</>
  return (
    <>
      {lines.map((line, at) => (
        <>
          {at > 0 && ', '}
          <code>{line}</code>
        </>
      ))}
    </>
  )
}

function Progress({ status }: { status: GraduationStatus }) {
  const { follower, lag, room, overflowed, verified, side, state } = status
  return (
    <>
      {side === 'sqlite' && (
        <>
          <dt>{state === 'following' ? 'Following' : 'Working'}</dt>
          <dd>
            {follower ?? (
              <>
                no process: run <code>outgrow graduate</code> to go on
              </>
            )}
          </dd>
        </>
      )}
      {lag !== null && (
        <>
          <dt>Lag</dt>
          <dd>
            {count(lag.entries)} {lag.entries === 1 ? 'change' : 'changes'} to apply
            {side === 'postgres' && ' to the file'}
            {lag.seconds !== null &&
              lag.entries > 0 &&
              `, waiting for ${count(Math.round(lag.seconds))} s at most`}
            {room !== null && <span class="quiet"> (the log has room for {count(room)} more)</span>}
            {overflowed && <b> The log is full.</b>}
          </dd>
        </>
      )}
      <dt>Compared</dt>
      <dd>
        {verified === null ? (
          'not yet'
        ) : (
          <>
            <span class={`level ${verified.isEqual ? 'fine' : 'graduate'}`}>
              {verified.isEqual ? 'equal' : 'differs'}
            </span>{' '}
            {count(verified.rows)} rows, <Moment at={verified.at} />{' '}
            <span class="quiet">in {count(verified.ms)} ms</span>
          </>
        )}
      </dd>
    </>
  )
}

function Processes({ processes }: Pick<GraduationStatus, 'processes'>) {
  if (processes.length === 0) {
    return (
      <p class="quiet">
        No process of the application has reported yet: those that use <code>@outgrow/client</code> do so by
        themselves.
      </p>
    )
  }
  return (
    <div class="scroll" role="region" aria-label="Processes of the application" tabindex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Process</th>
            <th scope="col">Id</th>
            <th scope="col">Host</th>
            <th scope="col">Reaches Postgres</th>
          </tr>
        </thead>
        <tbody>
          {processes.map(({ name, pid, host, isSilent, seenAt, reaches, problem }) => (
            <tr>
              <th scope="row">
                <code>{name}</code>
              </th>
              <td>{pid}</td>
              <td>{host}</td>
              <td>
                {isSilent ? (
                  <span class="quiet">
                    silent since <Moment at={seenAt} />
                  </span>
                ) : reaches === true ? (
                  <span class="level fine">yes</span>
                ) : (
                  <>
                    <span class="level plan">{reaches === null ? 'not yet' : 'no'}</span> {problem}
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const pauseWords = { rehearsal: 'rehearsal', cutover: 'switch', rollback: 'roll back' }
const shownPauses = 8

function Pauses({ pauses }: Pick<GraduationStatus, 'pauses'>) {
  if (pauses.length === 0) return null
  return (
    <div class="scroll" role="region" aria-label="Pauses" tabindex={0}>
      <table class="numbers">
        <thead>
          <tr>
            <th scope="col">Writes were held</th>
            <th scope="col">For</th>
            <th scope="col">At</th>
          </tr>
        </thead>
        <tbody>
          {pauses
            .slice(-shownPauses)
            .toReversed()
            .map(({ kind, ms, at }) => (
              <tr>
                <th scope="row">{pauseWords[kind]}</th>
                <td>{ms.toFixed(1)} ms</td>
                <td>
                  <Moment at={at} />
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  )
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
