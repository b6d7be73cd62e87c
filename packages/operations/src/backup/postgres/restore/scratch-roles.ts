import { quoteIdentifier, withPostgres } from '@outgrow/databases'
import type { Manifest } from '../../model/manifest.ts'
import { detailsOf } from '../details.ts'

/** Makes the roles that a backup names on a server which exists for a drill only: policies and grants are proved there, too. */
export async function makeScratchRoles(url: string, manifest: Manifest): Promise<void> {
  const { owners, grantees, inPolicies } = detailsOf(manifest).roles
  const wanted = new Set([...owners, ...grantees, ...inPolicies])
  await withPostgres(url, async (client) => {
    const { rows } = await client.query<{ name: string }>('SELECT rolname AS name FROM pg_roles')
    for (const { name } of rows) wanted.delete(name)
    for (const name of wanted) {
      // Names that begin so are the system's: a server of this version has none of these.
      if (!name.startsWith('pg_')) await client.query(`CREATE ROLE ${quoteIdentifier(name)} NOLOGIN`)
    }
  })
}
