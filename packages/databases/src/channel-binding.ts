import { Client, type ClientConfig } from 'pg'
import { Failure } from '@outgrow/kit'

/** What a connection is made with: the driver's settings, and the class that makes it. */
export type ConnectionSettings = ClientConfig & {
  host: string
  Client: new (config?: ClientConfig) => Client
}

/**
 * A client for libpq's `channel_binding=require`: it gives its password to nobody but a server that proves to be the other
 * end of this very TLS connection (SCRAM-SHA-256-PLUS).
 */
class BoundClient extends Client {
  constructor(config: ClientConfig = {}) {
    super(config)
    // Not among the settings: a pool hides the password from whoever copies those.
    Object.assign(this, { enableChannelBinding: true })
    let isBound = false
    const refuse = (why: string) => {
      this.connection.removeAllListeners('readyForQuery') // it may have come along already
      this.connection.stream.destroy(unbound(why))
    }
    // Asked before the driver itself answers.
    this.connection.prependListener('authenticationSASL', ({ mechanisms }: { mechanisms: string[] }) => {
      isBound =
        this.connection.stream.constructor.name === 'TLSSocket' && mechanisms.includes('SCRAM-SHA-256-PLUS')
      if (!isBound) refuse('it does not offer it')
    })
    for (const event of ['authenticationCleartextPassword', 'authenticationMD5Password'])
      this.connection.prependListener(event, () => refuse('it asks for the password itself'))
    this.connection.prependListener('authenticationOk', () => {
      if (!isBound) refuse('it asks for no proof at all')
    })
  }
}

/** libpq's `channel_binding`. Without it, the driver binds nothing. */
export function clientFor(binding: string | undefined): Pick<ConnectionSettings, 'Client'> & object {
  switch (binding) {
    case undefined:
    case 'disable':
      return { Client }
    case 'prefer':
      return { Client, enableChannelBinding: true } as Pick<ConnectionSettings, 'Client'>
    case 'require':
      return { Client: BoundClient }
    default:
      throw new Failure({
        code: 'OUTGROW_URL_INVALID',
        message: `channel_binding=${binding} is not valid.`,
        fix: 'Use disable, prefer or require.',
      })
  }
}

function unbound(why: string): Error {
  return new Error(
    `channel_binding=require, but the server does not bind the login to this connection: ${why}`,
  )
}
