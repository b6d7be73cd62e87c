/** Dependencies that a package carries inside of what is published, because the workspace's overrides do not travel with it. */
const bundled = { '@outgrow/databases': ['@prisma/adapter-better-sqlite3'] }

export const hooks = {
  beforePacking(manifest) {
    for (const name of bundled[manifest.name] ?? []) delete manifest.dependencies[name]
    return manifest
  },
}
