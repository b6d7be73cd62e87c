import type { PrismaDatabase } from './prisma/client.ts'

/** A time as the client stores it, for SQL of our own: SQLite holds and compares text. */
export function storedTime(provider: PrismaDatabase['provider'], time: Date): Date | string {
  return provider === 'postgres' ? time : time.toISOString().replace('Z', '+00:00')
}
