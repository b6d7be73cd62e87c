import { inspect } from 'node:util'
import { Choices } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { rules, type MoveOptions } from '../src/index.ts'
import { strictOptions } from '../src/model/options.ts'
import type { RowRange } from '../src/model/row.ts'
import { makePageFile, planColumns } from './page-files.ts'
import { differenceOf, readBoth } from './page-reader.ts'

const runs = 10 * Number(process.env.OUTGROW_PROPERTY_RUNS ?? 3)
const firstSeed = Number(process.env.OUTGROW_SEED ?? Date.now() % 1_000_000)

/** Parts of a range, at random places, also where no row is. */
function partsOf(choices: Choices): (range: NonNullable<RowRange>) => NonNullable<RowRange>[] {
  return ({ low, high }) => {
    const within = () => low + BigInt(Math.floor(choices.next() * 2 ** 32)) * ((high - low) / 2n ** 32n + 1n)
    return Array.from({ length: 3 }, () => {
      const [a, b] = [within(), within()]
      const ordered = a < b ? { low: a, high: b } : { low: b, high: a }
      return { low: ordered.low > high ? high : ordered.low, high: ordered.high > high ? high : ordered.high }
    })
  }
}

function optionsOf(choices: Choices): MoveOptions {
  return {
    ...strictOptions,
    rules: new Set(rules.map(({ name }) => name).filter(() => choices.often(0.3))),
    onBadValue: choices.of(['stop', 'quarantine']),
  }
}

test(`pages and driver give the same bytes and the same findings (seed ${firstSeed})`, () => {
  let [rows, bytes, bad] = [0, 0, 0]
  const left = new Map<string, number>()
  const wrong: string[] = []
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const choices = new Choices(seed)
    const path = makePageFile(choices)
    const compared = readBoth(path, planColumns(choices), optionsOf(choices), partsOf(choices))
    for (const reason of compared.left) left.set(reason, (left.get(reason) ?? 0) + 1)
    for (const both of compared.reads) {
      const { table, range, pages } = both
      const difference = 'thrown' in pages ? inspect(pages.thrown) : differenceOf(both)
      if (difference !== undefined)
        wrong.push(`seed ${seed}, ${table} of ${path} from ${range.low} to ${range.high}: ${difference}`)
      if ('thrown' in pages) continue
      rows += pages.result.rowsRead
      bytes += pages.bytes.length
      bad += pages.result.findings.length
    }
  }
  console.info(`${runs} files, ${rows} rows, ${bytes} bytes, ${bad} kinds of bad values`, left)
  expect(wrong).toEqual([])
  expect(rows).toBeGreaterThan(0)
}, 600_000)
