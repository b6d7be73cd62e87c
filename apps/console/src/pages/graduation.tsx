import { readJournals } from '@outgrow/graduate'
import type { Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { actions, isAction } from '../graduation/actions.ts'
import { missingEnd } from '../graduation/ends.ts'
import { seeGraduation, type Seen } from '../graduation/see.ts'
import type { Services } from '../services.ts'
import { ActionOutcome, allowed, confirmation, GraduationActions } from '../views/graduation-actions.tsx'
import { GraduationStatusPanel } from '../views/graduation-status.tsx'
import { Layout } from '../views/layout.tsx'
import { RunsPanel } from '../views/runs.tsx'

/** The way to Postgres: the live graduation and what can be done to it; preflight, runs, verification. */
export function graduationPages(app: Hono, services: Services): void {
  const { runsDirectory, workDirectory, ends, desk, stop, log } = services

  app.get('/graduation', async (context) => {
    const made = Date.now()
    return page(context, { made, seen: await seeGraduation(ends) })
  })

  app.post('/graduation/:action', async (context) => {
    const name = context.req.param('action')
    if (!isAction(name)) throw new HTTPException(404, { message: 'There is no such action.' })
    const { from, to } = ends
    if (from === undefined || to === undefined)
      throw new HTTPException(503, { message: missingEnd(ends) ?? '' })
    const made = Date.now()
    const seen = await seeGraduation(ends)
    const { title } = actions[name]
    if (!allowed(seen, ends).includes(name)) {
      const problem = seen.problem ?? `${title} is not possible in the state ${seen.status?.state}.`
      return page(context, { made, seen, problem, status: 409 })
    }
    const word = confirmation(name, ends)
    const { confirmation: given } = await context.req.parseBody()
    if (typeof given !== 'string' || given.trim().toLowerCase() !== word.toLowerCase()) {
      const problem = `${title} was not confirmed: type “${word}” to confirm it. Nothing was done.`
      return page(context, { made, seen, problem, status: 422 })
    }
    if (!desk.start(name, { from, to, workDir: workDirectory, signal: stop })) {
      const problem = `${title} was not begun: another action is running.`
      return page(context, { made, seen, problem, status: 409 })
    }
    log.info({ action: name }, 'graduation action begun')
    return context.redirect('/graduation', 303)
  })

  interface Shown {
    /** When it was read, in ms since 1970. */
    made: number
    seen: Seen
    problem?: string
    status?: ContentfulStatusCode
  }

  function page(context: Context, { made, seen, problem, status = 200 }: Shown) {
    return context.html(
      <Layout title="Graduation" path="/graduation" topics={['runs', 'graduation']} made={made}>
        <h1>Graduation</h1>
        {problem !== undefined && (
          <p class="error" role="alert">
            {problem}
          </p>
        )}
        <GraduationStatusPanel seen={seen} ends={ends} />
        <div aria-live="polite">
          <ActionOutcome latest={desk.latest} />
        </div>
        <GraduationActions seen={seen} ends={ends} latest={desk.latest} />
        <RunsPanel runs={readJournals(runsDirectory)} />
      </Layout>,
      status,
    )
  }
}
