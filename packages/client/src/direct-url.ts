/** The URL that leads past a pooler, where one was named; else the Postgres URL itself. */
export function directUrlOr(
  postgresUrl: string,
  { directUrl = process.env.DIRECT_URL ?? '' }: { directUrl?: string },
): string {
  return directUrl.trim() === '' ? postgresUrl : directUrl
}
