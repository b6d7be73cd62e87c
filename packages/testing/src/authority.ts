import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { temporaryFolder } from './sqlite.ts'

/** Whether certificates can be made here. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0

export interface Certificate {
  certPath: string
  keyPath: string
  cert: Buffer
  key: Buffer
}

/** A root of its own, which nobody else trusts. */
export class CertificateAuthority {
  readonly #folder = temporaryFolder()
  readonly root: Certificate

  constructor(name = 'Test Root') {
    this.root = this.#make('root', ['-subj', `/CN=${name}`, '-days', '2'])
  }

  /** A certificate for a server's names or addresses, or for a client. */
  issue(...names: string[]): Certificate {
    const [first = ''] = names
    const others = names.map((name) => (isIP(name) === 0 ? `DNS:${name}` : `IP:${name}`)).join(',')
    return this.#make(`cert-${Math.random().toString(36).slice(2)}`, [
      '-subj',
      `/CN=${first}`,
      '-days',
      '2',
      '-addext',
      `subjectAltName=${others}`,
      '-CA',
      this.root.certPath,
      '-CAkey',
      this.root.keyPath,
    ])
  }

  #make(file: string, more: string[]): Certificate {
    const certPath = join(this.#folder, `${file}.crt`)
    const keyPath = join(this.#folder, `${file}.key`)
    const asked = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    const { status, stderr } = spawnSync('openssl', [...asked, '-keyout', keyPath, '-out', certPath, ...more])
    if (status !== 0) throw new Error(`openssl: ${stderr.toString()}`)
    return { certPath, keyPath, cert: readFileSync(certPath), key: readFileSync(keyPath) }
  }

  /** Several certificates in one file. */
  bundle(...certificates: Certificate[]): string {
    const path = join(this.#folder, 'bundle.pem')
    writeFileSync(path, Buffer.concat(certificates.map(({ cert }) => cert)))
    return path
  }
}
