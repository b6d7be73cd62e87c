/**
 * Dependencies that a package carries inside of what is published: the workspace's overrides do not travel with it, so that
 * another better-sqlite3 would be installed; and pglite-tools would bring a whole Postgres along, for its pg_dump.
 */
const bundled = {
  databases: '@prisma/adapter-better-sqlite3',
  operations: '@electric-sql/pglite-tools',
}

/** What only whoever sends spans needs, and that is large. */
const isOptional = (name) => /^@opentelemetry\/|^@prisma\/instrumentation$/.test(name)

export const hooks = {
  beforePacking(manifest) {
    const { dependencies = {} } = manifest
    // Without the scope: this file's checksum is in the lockfile, and another scope is not to change it.
    delete dependencies[bundled[manifest.name.split('/').at(-1)]]
    for (const name of Object.keys(dependencies).filter(isOptional)) {
      manifest.peerDependencies = { ...manifest.peerDependencies, [name]: dependencies[name] }
      manifest.peerDependenciesMeta = { ...manifest.peerDependenciesMeta, [name]: { optional: true } }
      delete dependencies[name]
    }
    return manifest
  },
}
