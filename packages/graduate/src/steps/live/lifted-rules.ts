import type { FollowedTable } from '../../model/change.ts'
import type { Constraint } from '../../model/table.ts'
import { declareSql, undeclareSql } from '../../target/postgres/constraints.ts'
import type { Switch } from '../../target/postgres/stage.ts'

/**
 * Foreign keys and triggers that stand already when rows still come as they are: of the tables that get some they are
 * lifted, and put back at the end. Cascades and triggers have done their work on the other side.
 */
export class LiftedRules {
  readonly #foreign: readonly Constraint[]
  readonly #switches: readonly Switch[]
  readonly #lifted = new Set<Constraint | Switch>()

  constructor(foreign: readonly Constraint[], switches: readonly Switch[]) {
    this.#foreign = foreign
    this.#switches = switches
  }

  /** Statements that lift what has not been lifted yet. */
  lift(tables: readonly FollowedTable[]): string[] {
    const isTouched = (schema: string, name: string) =>
      tables.some(({ planned: { target } }) => target.schema === schema && target.name === name)
    const keys = this.#foreign.filter(
      ({ schema, table, parent }) =>
        isTouched(schema, table) || (parent !== null && isTouched(parent.schema, parent.table)),
    )
    const switches = this.#switches.filter(({ schema, table }) => isTouched(schema, table))
    const isNew = (rule: Constraint | Switch) => !this.#lifted.has(rule)
    const statements = [
      ...keys.filter(isNew).map(undeclareSql),
      ...switches.filter(isNew).map(({ off }) => off),
    ]
    for (const rule of [...keys, ...switches]) this.#lifted.add(rule)
    return statements
  }

  /** Statements that put all of it back. */
  restore(): string[] {
    return [
      ...this.#foreign.filter((key) => this.#lifted.has(key)).map(declareSql),
      ...this.#switches.filter((one) => this.#lifted.has(one)).map(({ on }) => on),
    ]
  }
}
