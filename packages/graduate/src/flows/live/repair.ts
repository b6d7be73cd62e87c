import type { Authority, PostgresClient } from '@outgrow/databases'
import type { Staging } from '../../model/staging.ts'
import type { Graduation, GraduationLedger } from '../../ledger/graduation.ts'
import { withdrawCut } from '../../target/postgres/live/placing.ts'

/**
 * The file says who has the authority. Where the target was committed and the file was not, the target goes back: nobody
 * was sent there yet.
 */
export async function repaired(
  client: PostgresClient,
  graduation: Graduation,
  authority: Authority,
  staging: Staging,
  ledger: GraduationLedger,
): Promise<Graduation> {
  if (graduation.epoch === authority.epoch) return graduation
  if (graduation.state === 'switched' && authority.side === 'sqlite') {
    await withdrawCut(client, staging, async (enable) => {
      await ledger.recordSwitchedOff(enable)
      await client.query(ledger.switchSql(authority.epoch, 'following'))
    })
    return { ...graduation, epoch: authority.epoch, state: 'following' }
  }
  return graduation
}
