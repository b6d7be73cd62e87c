// Fills an empty database with people and products to look at. Does nothing to one that has any.
import { openDatabase, type Database } from '@outgrow/db'
import { z } from 'zod'
import { parseEnv } from '@outgrow/kit/env'
import { createAuth } from './auth.ts'
import { seedExample } from './example/seed.ts' // example

const demoUser = { name: 'Demo', email: 'demo@example.com', password: 'outgrow-demo' }

const env = parseEnv({ DATABASE_URL: z.string().min(1), AUTH_SECRET: z.string().min(32) })
const database = await openDatabase(env.DATABASE_URL)
try {
  if ((await database.client.user.count()) === 0) await seed(database)
} finally {
  await database.close()
}

async function seed(database: Database): Promise<void> {
  const auth = createAuth(database, { secret: env.AUTH_SECRET, appUrl: 'http://127.0.0.1' })
  await auth.api.signUpEmail({ body: demoUser })
  await seedExample(database) // example
}
