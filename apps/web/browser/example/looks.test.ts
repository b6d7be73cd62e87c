import { expect, inject, test } from 'vitest'
import { problemsOf, withSeededProduct } from '../looks.ts'
import { list } from './list.ts'

test('the pages of the directory can be used by everybody', () =>
  withSeededProduct(inject('postgresUrl'), async (url, browser) => {
    const pages = {
      visitor: { directory: '/', listing: '/p/tiny-ledger' },
      member: { mine: '/mine', list: '/list' },
      prepare: (member: Parameters<typeof list>[0], form: string) => list(member, `Product ${form}`),
    }
    expect(await problemsOf(pages, url, browser)).toEqual({})
  }))
