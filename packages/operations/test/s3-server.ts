import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { temporaryFolder } from '@outgrow/testing'
// @ts-expect-error: it has no types
import S3rver from 's3rver'

interface Running {
  run: () => Promise<{ port: number }>
  httpServer: Server
}

export interface S3Server {
  /** The variables of AWS that lead to it. */
  env: Record<string, string>
  /** Folder of the bucket on this machine. */
  folder: string
  stop: () => Promise<void>
  /** From now on every connection is cut, until it is back. */
  goAway: () => void
  comeBack: () => void
  /** Cuts the next answer off after so many bytes. */
  cutNext: (bytes: number) => { isCut: boolean }
  /** Stores the next object whose key ends so, and cuts the connection in place of an answer. */
  loseAnswer: (key: string) => { isLost: boolean }
  /** Requests that remove several objects are refused, as some of the compatible ones do. */
  refuseRemovals: () => { refused: number }
}

/** A server of S3 on this machine, with the bucket `backups`; the environment of this process leads to it. */
export async function startS3(): Promise<S3Server> {
  const directory = temporaryFolder()
  const options = { address: '127.0.0.1', silent: true, configureBuckets: [{ name: 'backups' }] }
  const server = new (S3rver as new (options: object) => Running)({ ...options, port: 0, directory })
  const running = await server.run()
  const folder = join(directory, 'backups')
  const { httpServer } = server
  let isAway = false
  let removals: { refused: number } | undefined
  const refuseRemovals = () => (removals = { refused: 0 })
  let next: Cut | undefined
  const cutNext = (afterBytes: number) => (next = { afterBytes, isCut: false })
  let losing: { key: string; isLost: boolean } | undefined
  const loseAnswer = (key: string) => (losing = { key, isLost: false })
  const goAway = () => {
    isAway = true
    httpServer.closeAllConnections()
  }
  const comeBack = () => {
    isAway = false
  }
  const [handle] = httpServer.listeners('request') as RequestListener[]
  httpServer
    .removeAllListeners('request')
    .on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (next !== undefined) cut(response, next)
      next = undefined
      if (losing?.isLost === false && request.method === 'PUT' && pathOf(request).endsWith(losing.key))
        lose(response, losing)
      if (isAway) request.socket.destroy()
      else if (removals && request.method === 'POST' && request.url?.includes('?delete')) {
        removals.refused++
        response.writeHead(501).end()
      } else if (!refuseToReplace(folder, request, response) && !answerUploads(folder, request, response))
        handle?.(request, response)
    })
  const env = {
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${running.port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  Object.assign(process.env, env)
  const stop = () =>
    new Promise<void>((done) => {
      httpServer.close(() => done())
      httpServer.closeAllConnections()
    })
  return { env, folder, stop, goAway, comeBack, cutNext, loseAnswer, refuseRemovals }
}

interface Cut {
  afterBytes: number
  isCut: boolean
}

/** Ends a connection once an answer has sent so many bytes. */
function cut(response: ServerResponse, cut: Cut): void {
  const write = response.write.bind(response) as (chunk: Uint8Array) => boolean
  let sent = 0
  response.write = ((chunk: Uint8Array) => {
    sent += chunk.length
    if (sent < cut.afterBytes) return write(chunk)
    cut.isCut = true
    return response.socket?.destroy() === undefined
  }) as typeof response.write
}

function lose(response: ServerResponse, losing: { isLost: boolean }): void {
  response.end = (() => {
    losing.isLost = true
    response.socket?.destroy()
    return response
  }) as typeof response.end
}

function pathOf({ url = '' }: IncomingMessage): string {
  return new URL(url, 'http://localhost').pathname
}

/** s3rver does not know the header that refuses to replace. */
function refuseToReplace(folder: string, request: IncomingMessage, response: ServerResponse): boolean {
  const file = `${join(folder, '..', pathOf(request))}._S3rver_object`
  if (request.method !== 'PUT' || request.headers['if-none-match'] !== '*' || !existsSync(file)) return false
  request.resume().once('end', () => {
    response.writeHead(412, { 'content-type': 'application/xml' })
    response.end('<?xml version="1.0"?><Error><Code>PreconditionFailed</Code></Error>')
  })
  return true
}

/** s3rver does not know how uploads and their parts are listed, and uploads aborted; this does, in the folder where it keeps them. */
function answerUploads(
  folder: string,
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { searchParams } = new URL(url, 'http://localhost')
  const uploads = join(folder, '._S3rver_uploads')
  const id = searchParams.get('uploadId')
  if (method === 'DELETE' && id !== null) {
    rmSync(join(uploads, id), { recursive: true, force: true })
    response.writeHead(204).end()
    return true
  }
  if (method === 'GET' && id !== null) {
    const parts = readdirSync(join(uploads, id)).filter((name) => /^\d+$/.test(name))
    const listed = parts.map((name) => {
      const at = statSync(join(uploads, id, name)).mtime.toISOString()
      return `<Part><PartNumber>${name}</PartNumber><LastModified>${at}</LastModified></Part>`
    })
    answer(response, `<ListPartsResult><IsTruncated>false</IsTruncated>${listed.join('')}</ListPartsResult>`)
    return true
  }
  if (method !== 'GET' || !searchParams.has('uploads')) return false
  const found = existsSync(uploads) ? readdirSync(uploads) : []
  const listed = found.map((name) => {
    const key = readFileSync(join(uploads, name, 'key'), 'utf8')
    const at = statSync(join(uploads, name, 'key')).mtime.toISOString()
    return `<Upload><Key>${key}</Key><UploadId>${name}</UploadId><Initiated>${at}</Initiated></Upload>`
  })
  answer(
    response,
    `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${listed.join('')}</ListMultipartUploadsResult>`,
  )
  return true
}

function answer(response: ServerResponse, xml: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${xml}`)
}
