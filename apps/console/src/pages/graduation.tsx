import { readJournals } from '@outgrow/graduate'
import type { Hono } from 'hono'
import type { Services } from '../services.ts'
import { Layout } from '../views/layout.tsx'
import { RunsPanel } from '../views/runs.tsx'

/** The way to Postgres: preflight, runs, verification. */
export function graduationPages(app: Hono, { runsDirectory }: Services): void {
  app.get('/graduation', (context) =>
    context.html(
      <Layout title="Graduation" path="/graduation" topics={['runs']}>
        <h1>Graduation</h1>
        <RunsPanel runs={readJournals(runsDirectory)} />
      </Layout>,
    ),
  )
}
