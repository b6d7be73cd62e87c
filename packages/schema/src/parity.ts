import type { Dmmf, DmmfField } from './engine/prisma-wasm.ts'

/** Where the two dialects' clients would differ in names, types, arity or nullability. */
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
    } else if (shape(a) !== shape(b)) {
      differences.push(`${key} is ${shape(a)} on SQLite and ${shape(b)} on Postgres`)
    }
  }
  for (const { name, values } of postgres.datamodel.enums) {
    const other = sqlite.datamodel.enums.find((candidate) => candidate.name === name)
    if (JSON.stringify(other?.values) !== JSON.stringify(values)) differences.push(`enum ${name} differs`)
  }
  return differences
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
