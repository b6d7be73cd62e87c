import type { Finding, RunJournal } from '@outgrow/graduate'
import { Moment } from './moment.tsx'

const moves = new Set(['migrate', 'import'])

/** What the command line did: the run that goes on, the preflight's findings, the last runs and their tables. */
export function RunsPanel({ runs }: { runs: RunJournal[] }) {
  const running = runs.filter(({ state }) => state === 'running')
  const preflight = runs.find(({ command, report }) => command === 'inspect' && report !== null)
  const moved = runs.find(({ command, report }) => moves.has(command) && (report?.tables.length ?? 0) > 0)
  const verified = runs.find(
    ({ command, report }) => (command === 'verify' || moves.has(command)) && (report?.tables.length ?? 0) > 0,
  )
  return (
    <div id="runs">
      {running.map((run) => (
        <Running run={run} />
      ))}
      <section aria-labelledby="preflight">
        <h2 id="preflight">Preflight</h2>
        {preflight?.report ? (
          <Preflight run={preflight} findings={preflight.report.findings} />
        ) : (
          <p class="empty">
            Not run yet: <code>outgrow inspect</code>
          </p>
        )}
      </section>
      <section aria-labelledby="last-runs">
        <h2 id="last-runs">Last runs</h2>
        {runs.length === 0 ? (
          <p class="empty">
            None yet: <code>outgrow migrate</code>
          </p>
        ) : (
          <div class="scroll" role="region" aria-label="Table of the runs" tabindex={0}>
            <table>
              <thead>
                <tr>
                  <th scope="col">Started</th>
                  <th scope="col">Command</th>
                  <th scope="col">State</th>
                  <th scope="col">From</th>
                  <th scope="col">To</th>
                  <th scope="col">Outcome</th>
                </tr>
              </thead>
              <tbody>
                {runs.slice(0, 12).map((run) => (
                  <tr>
                    <td>
                      <Moment at={run.startedAt} />
                    </td>
                    <th scope="row">{run.command}</th>
                    <td>
                      <span class={`level ${stateLevel(run)}`}>{run.state}</span>
                    </td>
                    <td>
                      <code>{run.from.split(/[\\/]/).at(-1)}</code>
                    </td>
                    <td>{run.to === null ? '' : <code>{run.to.replace(/^.*@/, '')}</code>}</td>
                    <td>{outcomeText(run)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      {moved?.report && (
        <section aria-labelledby="steps">
          <h2 id="steps">Steps of the last move</h2>
          <Steps steps={moved.report.steps} />
        </section>
      )}
      {verified?.report && (
        <section aria-labelledby="verification">
          <h2 id="verification">
            Verification{' '}
            <small class="quiet">
              by {verified.command}, <Moment at={verified.updatedAt} />
            </small>
          </h2>
          <div class="scroll" role="region" aria-label="Table of the verification" tabindex={0}>
            <table class="numbers">
              <thead>
                <tr>
                  <th scope="col">Table</th>
                  <th scope="col">SQLite</th>
                  <th scope="col">Postgres</th>
                  <th scope="col">Quarantined</th>
                  <th scope="col">Digest</th>
                </tr>
              </thead>
              <tbody>
                {verified.report.tables.map((table) => (
                  <tr>
                    <th scope="row">{table.table}</th>
                    <td>{count(table.sourceRows)}</td>
                    <td>{count(table.targetRows)}</td>
                    <td>{count(table.quarantinedRows)}</td>
                    <td>
                      <span class={`level ${table.digestMatch ? 'fine' : 'graduate'}`}>
                        {table.digestMatch ? 'equal' : 'differs'}
                      </span>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
    </div>
  )
}

function Running({ run }: { run: RunJournal }) {
  const { step, progress } = run
  const share = progress && progress.totalRows > 0 ? Math.min(1, progress.rows / progress.totalRows) : 0
  const seconds = (Date.parse(run.updatedAt) - Date.parse(run.startedAt)) / 1000
  return (
    <section class="running" aria-label={`${run.command} is running`}>
      <h2>
        {run.command} is running{step ? `: step ${step.at} of ${step.of}, ${step.title.toLowerCase()}` : ''}
      </h2>
      <progress value={share} max={1} aria-label="Rows read" />
      {progress && (
        <p>
          {count(progress.rows)} of about {count(progress.totalRows)} rows
          {seconds > 0.5 && `, ${count(Math.round(progress.rows / seconds))} per second`}
        </p>
      )}
    </section>
  )
}

function Preflight({ run, findings }: { run: RunJournal; findings: Finding[] }) {
  const rows = (run.report?.tables ?? []).reduce((sum, { sourceRows }) => sum + sourceRows, 0)
  return (
    <>
      <p>
        {count(rows)} rows in <code>{run.from.split(/[\\/]/).at(-1)}</code>,{' '}
        {findings.length === 0 ? 'no problems found.' : `${findings.length} findings.`}
      </p>
      {findings.length > 0 && (
        <ul class="reasons">
          {findings.map((finding) => (
            <li>
              <strong class="level plan">{count(finding.count)}</strong>
              <div>
                <p>
                  <b>{[finding.table, finding.column].filter((part) => part !== null).join('.')}</b>{' '}
                  {finding.reason}
                </p>
                <p class="quiet">
                  {finding.excerpt !== null && <code>{finding.excerpt}</code>} {finding.fixes.join(' or ')}
                </p>
              </div>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function Steps({ steps }: { steps: NonNullable<RunJournal['report']>['steps'] }) {
  const longest = Math.max(1, ...steps.map(({ ms }) => ms))
  return (
    <div class="scroll" role="region" aria-label="Table of the steps" tabindex={0}>
      <table class="numbers">
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Time</th>
            <th scope="col">Rows per second</th>
            <th scope="col">MB per second</th>
            <th scope="col">Relative to the longest</th>
          </tr>
        </thead>
        <tbody>
          {steps.map(({ name, ms, rows, bytes }) => (
            <tr>
              <th scope="row">{name}</th>
              <td>{count(ms)} ms</td>
              <td>{rows > 0 ? count(Math.round((rows * 1000) / Math.max(1, ms))) : ''}</td>
              <td>{bytes > 0 ? (bytes / 1000 / Math.max(1, ms)).toFixed(1) : ''}</td>
              <td>
                <meter min={0} max={longest} value={ms}>
                  {ms} ms
                </meter>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function stateLevel({ state, report }: RunJournal): string {
  if (state === 'running') return 'watch'
  if (state === 'done') return report?.exitCode === 0 ? 'fine' : 'watch'
  return 'graduate'
}

function outcomeText({ report, error }: RunJournal): string {
  if (error !== null) return error
  if (!report) return ''
  const rows = report.tables.reduce((sum, { sourceRows }) => sum + sourceRows, 0)
  const findings = report.findings.length
  return `${count(rows)} rows${findings > 0 ? `, ${findings} ${findings === 1 ? 'finding' : 'findings'}` : ''}`
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
