import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EmbeddedFolder } from '@outgrow/databases'
import { Failure } from '@outgrow/kit'
import { readWalFile, type WalStore } from './archive-file.ts'
import { isSegment, isWalFile, nextSegment, probe, walKey } from './wal-files.ts'

interface Archive extends WalStore {
  archive: string
  segmentBytes: number
  /** The last segment that is given. What is archived meanwhile is not: a live server goes on, past the time that is restored. */
  lastOfChain: string
}

/**
 * Gives a server that recovers its WAL, on a socket for its account only. So the key stays in this process, the storage may be
 * one that only this process can read, and when it ends, recovery does.
 */
export class WalServer {
  /** The last segment that was given. */
  restored: string | undefined
  /** The last one that was asked for and not given. */
  missing: string | undefined
  /** Why a file could not be given. */
  problem: unknown
  readonly #archive: Archive
  readonly #folder: string
  readonly #server: Server
  /** Read ahead: the server asks for one after the other. */
  #ahead: { name: string; bytes: Promise<Buffer | undefined> } | undefined

  private constructor(archive: Archive, owner: EmbeddedFolder['owner']) {
    this.#archive = archive
    this.#folder = mkdtempSync(join(tmpdir(), 'outgrow-'))
    if (owner) chownSync(this.#folder, owner.uid, owner.gid)
    this.#server = createServer((request, response) => {
      void this.#give((request.url ?? '').slice(1), response)
    })
  }

  static async listen(archive: Archive, owner: EmbeddedFolder['owner']): Promise<WalServer> {
    const server = new WalServer(archive, owner)
    server.#server.listen(server.socket)
    await once(server.#server, 'listening')
    if (owner) chownSync(server.socket, owner.uid, owner.gid)
    return server
  }

  get socket(): string {
    return join(this.#folder, 'wal')
  }

  /** Where the server's account may write what it got for the probe. */
  get probeFile(): string {
    return join(this.#folder, 'probe')
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #give(name: string, response: ServerResponse): Promise<void> {
    if (name === probe) {
      response.writeHead(200).end()
      return
    }
    try {
      const bytes = this.#ahead?.name === name ? await this.#ahead.bytes : await this.#read(name)
      this.#ahead = undefined
      if (bytes === undefined) {
        if (isSegment(name)) this.missing = name
        response.writeHead(404).end()
        return
      }
      if (isSegment(name)) {
        this.restored = name
        const next = nextSegment(name, this.#archive.segmentBytes)
        this.#ahead = { name: next, bytes: this.#read(next) }
        this.#ahead.bytes.catch(() => {}) // it may never be asked for
      }
      response.writeHead(200, { 'content-length': bytes.length }).end(bytes)
    } catch (error) {
      this.problem = error
      response.writeHead(500).end()
    }
  }

  /** Undefined when it is not there. */
  async #read(name: string): Promise<Buffer | undefined> {
    if (!isWalFile(name)) throw new Error(`${name} is not a file that a server archives`)
    if (isSegment(name) && name > this.#archive.lastOfChain) return undefined
    try {
      return await readWalFile(this.#archive, walKey(this.#archive.archive, name))
    } catch (error) {
      if (error instanceof Failure && error.code === 'OUTGROW_BACKUP_OBJECT_MISSING') return undefined
      throw error
    }
  }
}
