import { openSqlite } from '@outgrow/databases'

/** Writes to a file until it is ended: two tables that have the same rows after every commit. Prints each number that is committed. */
const database = openSqlite(process.argv[2] as string, 60_000)
for (let n = 1; ; n++) {
  database.exec('BEGIN IMMEDIATE')
  database.exec(`INSERT INTO ticks_a VALUES (${n}, randomblob(500))`)
  database.exec(`INSERT INTO ticks_b VALUES (${n})`)
  if (n > 300)
    database.exec(`DELETE FROM ticks_a WHERE n = ${n - 300}; DELETE FROM ticks_b WHERE n = ${n - 300}`)
  database.exec('COMMIT')
  process.stdout.write(`${n}\n`)
}
