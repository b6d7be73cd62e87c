import { insertIgnore, isUniqueViolation, lockForUpdate, openDatabase } from '@outgrow/client'
import type { PrismaClient } from './generated/sqlite/client.ts'

const database = await openDatabase<PrismaClient>(
  {
    sqlite: () => import('./generated/sqlite/client.ts'),
    postgres: () => import('./generated/postgres/client.ts'),
  },
  process.argv[2] ?? '',
)
const { client } = database
const { id } = await client.ship.create({ data: { name: 'Fram' } })
await Promise.all(
  Array.from({ length: 12 }, (_, at) =>
    client.$transaction(async (tx) => {
      await lockForUpdate(database, tx, 'ship', { id })
      await tx.sailor.create({ data: { name: `Sailor ${at}`, shipId: id } })
    }),
  ),
)
const names = Array.from({ length: 13 }, (_, at) => ({ name: at === 0 ? 'Fram' : `Ship ${at}` }))
await insertIgnore(database, client, 'ship', names)
const twice: unknown = await client.ship.create({ data: { name: 'Fram' } }).catch((error: unknown) => error)
const inside: unknown = await client.$transaction(() => client.ship.count()).catch((error: unknown) => error)
process.stdout.write(
  JSON.stringify({
    ships: await client.ship.count(),
    crew: await client.sailor.count(),
    unique: isUniqueViolation(twice, database, 'ship', ['name']),
    refused: (inside as { code?: string }).code,
  }),
)
await database.close()
