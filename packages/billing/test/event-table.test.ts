import { expect, test } from 'vitest'
import { EventTable, type EventMark } from '../src/adopt/event-table.ts'

test('rows and marks of events stay theirs while the table grows', () => {
  const table = new EventTable()
  const many = 20_000
  const marks: EventMark[] = ['none', 'wasThere', 'dead', 'ignored', 'pending', 'done']
  for (let at = 0; at < many; at++) {
    if (table.count(`evt_${at}`) !== 1) throw new Error(`${at}`)
    table.setMark(`evt_${at}`, marks[at % 6] ?? 'none')
  }
  for (let at = 0; at < many; at += 7) if (table.count(`evt_${at}`) !== 2) throw new Error(`${at}`)
  for (let at = 0; at < many; at += 101) {
    expect(table.mark(`evt_${at}`)).toBe(marks[at % 6])
    expect(table.rows(`evt_${at}`)).toBe(at % 7 === 0 ? 2 : 1)
  }
  expect([table.mark('evt_other'), table.rows('evt_other')]).toEqual(['none', 0])
})
