import type { Dmmf, DmmfField, DmmfModel } from './engine/prisma-wasm.ts'

/**
 * Where the two dialects' clients would differ: in names, types, arity, nullability, defaults, keys or relations.
 * @param excused `Model.field` that a comment leaves out on one side, or that --keep-lists keeps apart
 */
export function dmmfDifferences(sqlite: Dmmf, postgres: Dmmf, excused: Set<string>): string[] {
  const differences: string[] = []
  const right = fieldMap(postgres)
  const left = fieldMap(sqlite)
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    if (excused.has(key)) continue
    const a = left.get(key)
    const b = right.get(key)
    if (!a || !b) {
      const only = a ? 'SQLite' : 'Postgres'
      if ((a ?? b)?.kind !== 'unsupported') differences.push(`${key} exists on ${only} only`)
      continue
    }
    for (const [what, of] of facts) {
      if (of(a) !== of(b)) differences.push(`${key}${what} ${of(a)} on SQLite and ${of(b)} on Postgres`)
    }
  }
  const models = new Map(postgres.datamodel.models.map((model) => [model.name, model]))
  for (const model of sqlite.datamodel.models) {
    const other = models.get(model.name)
    if (!other) continue
    const [a, b] = [keysOf(model, excused), keysOf(other, excused)]
    if (a !== b) differences.push(`${model.name} has the keys ${a} on SQLite and ${b} on Postgres`)
  }
  const enums = [...sqlite.datamodel.enums, ...postgres.datamodel.enums].map(({ name }) => name)
  for (const name of new Set(enums)) {
    const [a, b] = [sqlite, postgres].map(({ datamodel }) => datamodel.enums.find((one) => one.name === name))
    if (JSON.stringify(a?.values) !== JSON.stringify(b?.values)) differences.push(`enum ${name} differs`)
  }
  return differences
}

/** What must be the same of a field, with the words between its name and the value. */
const facts: [string, (field: DmmfField) => string][] = [
  [' is', shape],
  [' has', (field) => (field.hasDefaultValue || field.isUpdatedAt === true ? 'a default' : 'no default')],
  [' is', ({ isUnique }) => (isUnique ? 'unique' : 'not unique')],
  [' is', ({ isId }) => (isId ? 'the id' : 'not the id')],
  [' belongs to relation', ({ relationName }) => relationName ?? 'none'],
  [
    ' leads',
    ({ relationFromFields, relationToFields }) =>
      `from (${(relationFromFields ?? []).join(', ')}) to (${(relationToFields ?? []).join(', ')})`,
  ],
  // SQLite refuses SetNull on a required relation, which the rule for keys makes Restrict there and says so.
  [' on delete is', ({ relationOnDelete, isRequired }) => action(relationOnDelete, isRequired)],
  [' on update is', ({ relationOnUpdate, isRequired }) => action(relationOnUpdate, isRequired)],
]

const action = (name: string | undefined, isRequired: boolean): string =>
  name === 'SetNull' && isRequired ? 'Restrict' : (name ?? 'the default')

function keysOf(model: DmmfModel, excused: Set<string>): string {
  const keys = [
    ...(model.primaryKey ? [{ kind: 'id', ...model.primaryKey }] : []),
    ...model.uniqueIndexes.map((one) => ({ kind: 'unique', ...one })),
  ]
  return keys
    .filter(({ fields }) => !fields.some((field) => excused.has(`${model.name}.${field}`)))
    .map(({ kind, name, fields }) => `${kind} ${name ?? ''}(${fields.join(', ')})`)
    .toSorted()
    .join(', ')
}

function fieldMap(dmmf: Dmmf): Map<string, DmmfField> {
  return new Map(
    dmmf.datamodel.models.flatMap((model) =>
      model.fields.map((field): [string, DmmfField] => [`${model.name}.${field.name}`, field]),
    ),
  )
}

function shape(field: DmmfField): string {
  return `${field.type}${field.isList ? '[]' : field.isRequired ? '' : '?'}`
}
