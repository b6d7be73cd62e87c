import { openSample, type SampleDatabase } from '@outgrow/sample'
import { busyMs } from './sides.ts'
import { isServerGone, numbered, Unknown, type Side, type Sql } from './sql.ts'

/** An application on the facade: it follows wherever its rows go, and is told nothing of it. */
export async function facadeSide(path: string, postgresUrl: string): Promise<Side> {
  process.env.POSTGRES_URL = postgresUrl
  const database = await openSample(`file:${path}?lock_timeout=${busyMs / 1000}`)
  return {
    get provider() {
      return database.provider
    },
    transaction: async (work) => {
      try {
        return await database.client.$transaction((tx) => work(sqlOf(database, tx)), {
          maxWait: busyMs,
          timeout: busyMs,
        })
      } catch (error) {
        throw explained(error)
      }
    },
    limit: () => {},
    close: () => database.close(),
  }
}

type Transaction = Parameters<Parameters<SampleDatabase['client']['$transaction']>[0]>[0]

function sqlOf(database: SampleDatabase, tx: Transaction): Sql {
  const { provider } = database
  const own = (text: string) => (provider === 'postgres' ? numbered(text) : text)
  return {
    provider,
    people: tx.person,
    run: (text, values = []) => tx.$executeRawUnsafe(own(text), ...values),
    get: async (text, values = []) => {
      const rows = await tx.$queryRawUnsafe<Record<string, unknown>[]>(own(text), ...values)
      return rows[0]
    },
  }
}

/** Of a refusal: the tables are on neither side. */
const goneCode = '23-gone'

/** What a server that goes away does to any application leaves open whether the transaction was committed. */
function explained(error: unknown): unknown {
  const { code = '', message } = error as { code?: string; message: string }
  if (/^(P1\d{3}|P2024|P2028|P2034)$/.test(code)) return new Unknown(message, { cause: error })
  if (isServerGone(message)) return new Unknown(message, { cause: error })
  // Until a way back that died between its commits is finished, neither side has the tables.
  if (code === 'P2021' || /42P01|_outgrow_moved/.test(message))
    return Object.assign(new Error(message), { code: goneCode })
  if (code === 'P2002' || /constraint|duplicate key|deadlock|40P01|23505/i.test(message))
    return Object.assign(new Error(message), { code: '23505' })
  return error
}
