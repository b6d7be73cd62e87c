import { hostname } from 'node:os'
import { rmSync } from 'node:fs'
import { dieAt } from '../../die-at.ts'
import { stagedName } from '../../model/staging.ts'
import { GraduationLedger, type Graduation } from '../../ledger/graduation.ts'
import { captureBack } from '../../target/postgres/live/capture-back.ts'
import { writeBaseline } from '../../target/postgres/put-in-place.ts'
import { baselineOf } from '../baseline.ts'
import { prepare } from '../prepare.ts'
import { stage } from '../stage.ts'
import type { Step } from '../step.ts'
import { captureChanges } from './capture-changes.ts'
import { checkLive } from './check-live.ts'
import type { GraduateRequest } from './graduate-request.ts'
import { giveAuthority } from './give-authority.ts'
import { openFile } from './open-file.ts'

/** Records what was copied, and from where on the target follows; prepares what logs the target's own changes later. */
export const beginFollowing: Step<void, GraduateRequest> = {
  name: 'follow',
  title: 'Begin to follow',
  run: async (run) => {
    dieAt('copied')
    const { staging, ledger, loaders } = run.of(stage)
    const { request } = run
    const [target] = loaders
    const { client } = target
    const { position, copy } = run.of(captureChanges)
    const tables = run.of(checkLive)
    const live = new GraduationLedger(client, staging)
    const prepared = run.of(prepare)
    const { postgresDirectory, postgresSchema, hasMigrations } = prepared
    const baseline = request.writesHistory ? baselineOf(prepared, staging) : []
    const graduation: Graduation = {
      name: staging.run,
      file: request.path,
      host: hostname(),
      state: 'following',
      epoch: 1,
      applied: position,
      tables,
      startedAt: staging.record.startedAt,
      isPlaced: false,
      enable: [],
      finishedEpoch: 0,
      lookedAt: new Date().toISOString(),
      verified: null,
      pauses: [],
      maxLog: request.maxLog,
      baseline: request.writesHistory
        ? { postgresDirectory, postgresSchema, hasMigrations, migrations: baseline }
        : null,
    }
    // Recorded already where an earlier attempt came so far, and no further.
    if (!(await live.exists()))
      await target.transaction(async () => {
        await live.create(graduation)
        await captureBack(client, { schema: live.schema, record: live.table }, tables)
        if (!staging.replaces && baseline.length > 0)
          await writeBaseline(client, stagedName(staging.run, staging.home, undefined), baseline)
        await ledger.markLive()
      })
    dieAt('recorded')
    const { file } = run.of(openFile)
    await file.write(
      () => giveAuthority(file, { side: 'sqlite', epoch: 1, state: 'following' }),
      request.signal,
    )
    dieAt('following')
    rmSync(copy, { force: true })
    return { value: undefined }
  },
}
