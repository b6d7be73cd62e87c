/** This project's generated clients, each loaded when its database is opened. */
export const clients = {
  sqlite: () => import('./generated/sqlite/client.ts'),
  postgres: () => import('./generated/postgres/client.ts'),
}
