import { levels, seriousFirst, type Examination, type Level } from '@outgrow/signs'
import { Moment } from './moment.tsx'

const levelWords: Record<Level, string> = {
  fine: 'fine',
  watch: 'watch',
  plan: 'plan',
  graduate: 'graduate now',
  unknown: 'unknown',
}

/** Which database it is, and the verdict with its reasons. */
export function VerdictPanel({ examination }: { examination: Examination }) {
  const { provider, database, verdict, signs } = examination
  const serious = seriousFirst(signs)
  const unknown = signs.filter(({ level }) => level === 'unknown')
  return (
    <div id="stage">
      <section class={`verdict ${verdict}`} aria-labelledby="verdict">
        <p class="quiet">
          {provider === 'sqlite' ? 'SQLite' : 'Postgres'} ·{' '}
          <code title={database}>{database.split(/[\\/]/).at(-1)?.replace(/\?.*/, '')}</code>
        </p>
        <h2 id="verdict">{verdictText(examination)}</h2>
        <ol class="meter" aria-label={`Verdict: ${levelWords[verdict]}`}>
          {levels
            .filter((level) => provider === 'sqlite' || level !== 'graduate')
            .map((level) => (
              <li
                class={level === verdict ? `here ${level}` : ''}
                aria-current={level === verdict ? 'true' : undefined}
              >
                {levelWords[level]}
              </li>
            ))}
        </ol>
        {unknown.length > 0 && (
          <p class="quiet">
            Based on what was measured. Not measured: {unknown.map(({ title }) => title).join(', ')}.
          </p>
        )}
        {serious.length > 0 && (
          <ul class="reasons">
            {serious.map((sign) => (
              <li>
                <strong class={`level ${sign.level}`}>{levelWords[sign.level]}</strong>
                <div>
                  <p>
                    <b>{sign.title}</b>: {sign.text}
                  </p>
                  <p class="quiet">{sign.advice}</p>
                </div>
              </li>
            ))}
          </ul>
        )}
      </section>
    </div>
  )
}

/** Every sign, with what was seen and why it is judged so. */
export function SignsPanel({ examination }: { examination: Examination }) {
  const { signs, at } = examination
  return (
    <div id="signs">
      <section aria-labelledby="all-signs">
        <h2 id="all-signs">Signs</h2>
        <div class="scroll" role="region" aria-label="Table of the signs" tabindex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Sign</th>
                <th scope="col">Level</th>
                <th scope="col">Seen</th>
                <th scope="col">Why these limits</th>
              </tr>
            </thead>
            <tbody>
              {signs.map((sign) => (
                <tr>
                  <th scope="row">{sign.title}</th>
                  <td>
                    <span class={`level ${sign.level}`}>{levelWords[sign.level]}</span>
                  </td>
                  <td>{sign.text}</td>
                  <td class="quiet">{sign.threshold.source}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <p class="quiet">
          Measured at <Moment at={at} />; repeated every five seconds.
        </p>
      </section>
    </div>
  )
}

function verdictText({ provider, verdict }: Examination): string {
  switch (verdict) {
    case 'fine':
      return provider === 'sqlite' ? 'SQLite is enough for now' : 'Postgres is healthy'
    case 'watch':
      return 'First signs of strain'
    case 'plan':
      return provider === 'sqlite' ? 'Plan the move' : 'Something needs attention'
    case 'graduate':
      return 'Graduate now'
    case 'unknown':
      return 'Nothing could be measured'
    default:
      return verdict
  }
}
