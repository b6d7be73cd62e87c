import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Choices, temporaryFolder } from '@outgrow/testing'
import { expect, test } from 'vitest'
import { strictOptions } from '../src/model/options.ts'
import { makePageFile, planColumns } from './page-files.ts'
import { differenceOf, isDamage, readBoth, type Comparison } from './page-reader.ts'

const files = 2 * Number(process.env.OUTGROW_PROPERTY_RUNS ?? 3)
const damagesPerFile = 40
const firstSeed = Number(process.env.OUTGROW_SEED ?? Date.now() % 1_000_000)

/** Changes bytes anywhere, every second time where the form of a page is written. */
function damage(bytes: Buffer, pageSize: number, choices: Choices): void {
  for (let count = 1 + choices.whole(3); count > 0; count--) {
    const page = choices.whole(bytes.length / pageSize)
    const from = page * pageSize + (page === 0 ? 100 : 0)
    const at = choices.often(0.5) ? from + choices.whole(40) : page * pageSize + choices.whole(pageSize)
    bytes[at] = choices.of([
      0,
      1,
      0x7f,
      0x80,
      0xff,
      (bytes[at] as number) ^ (1 << choices.whole(8)),
      choices.whole(256),
    ])
  }
  if (choices.often(0.1)) {
    const page = () => choices.whole(bytes.length / pageSize) * pageSize
    bytes.copyWithin(page(), page(), page())
  }
}

test(`a damaged file gives what the driver gives, or a coded failure (seed ${firstSeed})`, () => {
  const counts = { same: 0, 'refused by both': 0, 'refused by pages only': 0, unopened: 0, left: 0 }
  let damages = 0
  const wrong: string[] = []
  for (let seed = firstSeed; seed < firstSeed + files; seed++) {
    const choices = new Choices(seed)
    const original = readFileSync(makePageFile(choices, [512, 1024, 4096]))
    const pageSize = original.readUInt16BE(16)
    const path = join(temporaryFolder(), 'damaged.db')
    for (let round = 0; round < damagesPerFile; round++, damages++) {
      const bytes = Buffer.from(original)
      damage(bytes, pageSize, choices)
      writeFileSync(path, bytes)
      let compared: Comparison
      try {
        compared = readBoth(path, planColumns(choices), { ...strictOptions, onBadValue: 'quarantine' })
      } catch {
        counts.unopened++ // SQLite does not read its schema
        continue
      }
      counts.left += compared.left.length
      for (const both of compared.reads) {
        const difference = differenceOf(both)
        if (difference !== undefined) wrong.push(`seed ${seed}, round ${round}, ${both.table}: ${difference}`)
        if (!isDamage(both.pages)) counts.same++
        else counts[isDamage(both.driver) ? 'refused by both' : 'refused by pages only']++
      }
    }
  }
  console.info(`${damages} damages of ${files} files`, counts)
  expect(wrong).toEqual([])
  expect(counts.same).toBeGreaterThan(0)
  expect(counts['refused by both']).toBeGreaterThan(0)
}, 600_000)
