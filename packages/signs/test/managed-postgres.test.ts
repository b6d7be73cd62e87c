import {
  makeDatabase,
  CertificateAuthority,
  hasOpenssl,
  ManagedPostgres,
  type TestDatabase,
} from '@outgrow/testing'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { examine } from '../src/index.ts'

const neon = 'ep-test-1.eu-central-1.aws.neon.tech'

describe.skipIf(!hasOpenssl)('a connection, with certificates of openssl', () => {
  let database: TestDatabase
  let authority: CertificateAuthority
  let server: ManagedPostgres

  beforeAll(async () => {
    database = await makeDatabase(inject('postgresUrl'))
    authority = new CertificateAuthority()
    server = await ManagedPostgres.start(database.url, {
      certificate: authority.issue(neon, 'db.example.test'),
    })
  })
  afterAll(async () => {
    await server.stop()
    await database.drop()
  })

  const securityOf = async (url: string) => {
    const { signs } = await examine({ url, windowMs: 1 })
    const { level, text, advice } = signs.find(({ name }) => name === 'connection-security') ?? {}
    return { level, text, advice }
  }

  test.each([
    ['disable', /not encrypted/],
    ['require', /nobody|not verified/],
    ['verify-ca', /its name is not/],
  ])('is watched with sslmode=%s', async (sslmode, text) => {
    const parameters = { sslmode, ...(sslmode === 'verify-ca' && { sslrootcert: authority.root.certPath }) }
    expect(await securityOf(server.url(neon, parameters))).toEqual({
      level: 'watch',
      text: expect.stringMatching(text) as string,
      advice: 'Add sslmode=verify-full&sslrootcert=system to the URL.',
    })
  })

  test('is fine when it is verified, and when it does not leave this machine or the provider’s network', async () => {
    const verified = { sslmode: 'verify-full', sslrootcert: authority.root.certPath }
    expect(await securityOf(server.url(neon, verified))).toMatchObject({
      level: 'fine',
      text: 'encrypted and verified',
    })
    expect(await securityOf(database.url)).toMatchObject({ level: 'fine', text: 'on this machine' })
    expect(await securityOf(server.url('postgres.railway.internal'))).toMatchObject({
      level: 'fine',
      text: 'inside the provider’s network',
    })
    const network = await securityOf(server.url('postgres', { sslmode: 'disable', hostaddr: '127.0.0.1' }))
    expect(network).toMatchObject({ level: 'fine', text: 'on this machine' })
  })

  test('to a known provider comes with what its documentation says, and with its other host', async () => {
    const { managedBy, signs } = await examine({ url: server.url(neon), windowMs: 1 })
    expect(managedBy).toMatchObject({ name: 'neon', title: 'Neon', pool: 'none' })
    expect(managedBy?.hosts).toEqual([
      `direct: ${neon}:${server.port}`,
      `pooled: ep-test-1-pooler.eu-central-1.aws.neon.tech:${server.port}`,
    ])
    expect(managedBy?.notes.map(({ text }) => text)).toContain(
      'Neon: A compute is suspended after 5 minutes without use.',
    )
    expect(signs.length).toBeGreaterThan(5)
    expect((await examine({ url: database.url, windowMs: 1 })).managedBy).toBeNull()
  })
})
