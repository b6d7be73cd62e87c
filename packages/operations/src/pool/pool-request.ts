import type { SslMode } from '@outgrow/databases'

/** How the pooler learns the passwords of those who connect. */
export type PoolAuth = 'query' | 'userlist'

/** What a pooler is to be made for. */
export interface PoolRequest {
  /** Of the database server. */
  cores: number
  /** Processes of the application that connect at the same time. */
  processes: number
  /** Connections that each of them opens at most. */
  connectionLimit: number
  /** Seconds that each waits for one of its connections: the URL's `pool_timeout`. */
  poolTimeoutSeconds: number
  maxConnections: number
  /** Taken by others: superusers, what is reserved on the server. */
  superuserReserved: number
  databases: PooledDatabase[]
  roles: PooledRole[]
  auth: PoolAuth
  server: PooledServer
  /** Where the pooler listens. */
  listen: { host: string; port: number }
  /** Where the pooler finds its files. */
  folder: string
}

interface PooledDatabase {
  name: string
  /** Null where the server sets no limit. */
  connectionLimit: number | null
}

export interface PooledRole {
  name: string
  connectionLimit: number | null
  /** As pgbouncer's userlist has it: a SCRAM secret, or the password. Undefined where it is not known. */
  secret: string | undefined
}

/** Where the pooler connects to. */
export interface PooledServer {
  host: string
  port: number
  /** As pgbouncer has it. */
  sslmode: SslMode
  /** File of root certificates, where the server is checked. */
  rootCertificate: string | undefined
}

/** Kept free for sessions past the pooler: a move takes three, a deployment two. */
export const directConnections = 5

/** Of the connections that the server has, those that are used: the rest is for whoever has to look when it is full. */
export const usedShare = 0.8
