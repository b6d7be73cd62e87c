export const providerNames = { sqlite: 'SQLite', postgres: 'Postgres' } as const
