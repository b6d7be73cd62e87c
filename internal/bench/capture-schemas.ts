/** One table, and what is done to its rows. */
export interface CaptureSchema {
  kind: 'integer' | 'text'
  title: string
  ddl: string
  insert: string
  update: string
  remove: string
}

export interface WriterOrder {
  operations: number
}

export interface WriterAnswer {
  cpuMicros: number
}

const update = 'UPDATE "User" SET "loginCount" = "loginCount" + 1, "updatedAt" = @at WHERE id = @id'
const remove = 'DELETE FROM "User" WHERE id = @id'

export const captureSchemas: Record<CaptureSchema['kind'], CaptureSchema> = {
  integer: {
    kind: 'integer',
    title: 'INTEGER PRIMARY KEY',
    ddl: `CREATE TABLE "User" (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, "loginCount" INTEGER NOT NULL DEFAULT 0,
            "updatedAt" DATETIME NOT NULL)`,
    insert: 'INSERT INTO "User" (id, name, "updatedAt") VALUES (@id, @name, @at)',
    update,
    remove,
  },
  text: {
    kind: 'text',
    title: 'cuid, unique e-mail, two indexes',
    ddl: `CREATE TABLE "User" (id TEXT NOT NULL PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL,
            "loginCount" INTEGER NOT NULL DEFAULT 0, "updatedAt" DATETIME NOT NULL);
          CREATE UNIQUE INDEX "User_email_key" ON "User"(email);
          CREATE INDEX "User_name_idx" ON "User"(name); CREATE INDEX "User_updatedAt_idx" ON "User"("updatedAt")`,
    insert: 'INSERT INTO "User" (id, email, name, "updatedAt") VALUES (@id, @email, @name, @at)',
    update,
    remove,
  },
}
