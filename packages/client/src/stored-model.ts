import type { Database } from './database.ts'

interface RuntimeModel {
  dbName: string | null
  fields: { name: string; dbName?: string }[]
}

/** Table and column names of a model, as the generated client carries them (Prisma 7.10 keeps them here). */
export function storedModel(
  client: Database['client'],
  model: string,
): { table: string; columnOf: (field: string) => string } {
  const { models } = (client as unknown as { _runtimeDataModel: { models: Record<string, RuntimeModel> } })
    ._runtimeDataModel
  const name = model.charAt(0).toUpperCase() + model.slice(1)
  const found = models[name]
  if (!found) throw new Error(`the client has no model ${name}`)
  return {
    table: found.dbName ?? name,
    columnOf: (field) => found.fields.find((candidate) => candidate.name === field)?.dbName ?? field,
  }
}
