export type { ModelName } from '@outgrow/client'

/** A client that Prisma generated for any schema. The models are reached by the names that the caller gives. */
export interface PrismaLike {
  $queryRawUnsafe(sql: string, ...values: unknown[]): PromiseLike<unknown>
  $transaction: unknown
}

/** An open database, as `openDatabase` of `@outgrow/client` gives it. */
export interface PrismaDatabase<Client extends PrismaLike = PrismaLike> {
  readonly provider: 'sqlite' | 'postgres'
  readonly client: Client
  /** Runs one operation that is written for one provider: again for the other, when the application moves meanwhile. */
  perProvider?<Result>(
    make: (at: { provider: 'sqlite' | 'postgres'; client: Client }) => PromiseLike<Result>,
  ): Promise<Result>
  /** Calls back for each NOTIFY on a channel of Postgres, as far as they can be heard. Returns what ends it. */
  listen?(channel: string, onNotified: () => void): () => Promise<void>
}

/** What a filter may ask of one field. */
type Test<Value> =
  | Value
  | {
      in?: readonly NonNullable<Value>[]
      notIn?: readonly NonNullable<Value>[]
      not?: Value
      lt?: Value
      lte?: Value
      gt?: Value
      gte?: Value
    }

/** A filter on related rows: on the one that there is, or on how many of several fit. */
type Related = object

type Where<Row, Relations> = { [Field in keyof Row]?: Test<Row[Field]> } & {
  [Name in keyof Relations]?: Where<Relations[Name], object> | { some: Related } | { none: Related }
} & { OR?: readonly Where<Row, Relations>[] }

type Data<Row> = {
  [Field in keyof Row]?: Row[Field] | (Row[Field] extends number ? { increment: number } : never)
}

type Order<Row> = { [Field in keyof Row]?: 'asc' | 'desc' }

interface Many<Row, Relations> {
  where?: Where<Row, Relations>
  orderBy?: Order<Row>
  take?: number
}

/** As much of a Prisma model's delegate as billing uses, without knowing the client that it is of. */
export interface Delegate<Row, Relations = object> {
  findUnique(args: { where: Where<Row, object> | Record<string, object> }): Promise<Row | null>
  findUniqueOrThrow(args: { where: Where<Row, object> }): Promise<Row>
  findMany<Field extends keyof Row>(
    args: Many<Row, Relations> & { select: { [Name in Field]: true } },
  ): Promise<Pick<Row, Field>[]>
  findMany<Included extends object = object>(
    args: Many<Row, Relations> & {
      include?: { [Name in keyof Relations]?: true | Many<Relations[Name], object> }
    },
  ): Promise<(Row & Included)[]>
  count(args: { where: Where<Row, Relations> }): Promise<number>
  groupBy<Field extends keyof Row>(args: {
    by: Field[]
    where?: Where<Row, Relations>
    having?: object
    orderBy?: Order<Row>
    take?: number
    _count: true
  }): Promise<(Pick<Row, Field> & { _count: number })[]>
  create(args: { data: Partial<Row> }): Promise<Row>
  createMany(args: { data: readonly Partial<Row>[] }): Promise<{ count: number }>
  update(args: { where: Where<Row, object> | Record<string, object>; data: Data<Row> }): Promise<Row>
  updateMany(args: { where?: Where<Row, Relations>; data: Data<Row> }): Promise<{ count: number }>
  upsert(args: { where: Where<Row, object>; create: Partial<Row>; update: Data<Row> }): Promise<Row>
  deleteMany(args: { where: Where<Row, Relations> }): Promise<{ count: number }>
}
