/** What the facade asks of a Prisma client, of whatever project: versions 6.16 and later, without a native engine. */
export interface PrismaClientShape {
  $connect(): Promise<void>
  $disconnect(): Promise<void>
  $transaction(...args: never[]): Promise<unknown>
  $queryRawUnsafe(query: string, ...values: never[]): PromiseLike<unknown>
  $extends: unknown
}

/** A generated client's module: `() => import('./generated/sqlite/client.ts')`. */
export type ClientModule<Client> = () => Promise<{ PrismaClient: new (options: never) => Client }>

/** A project's generated clients, one for each database. Only the one that the URL names is loaded. */
export interface GeneratedClients<Client> {
  sqlite: ClientModule<Client>
  postgres: ClientModule<unknown>
}

/** The client inside an interactive transaction. */
export type TransactionClient<Client> = Omit<Client, '$connect' | '$disconnect' | '$on' | '$use' | '$extends'>

/** Names of a client's models as it writes them: `billingCustomer`. */
export type ModelName<Client> = {
  [Name in keyof Client & string]: Client[Name] extends { findMany: (...args: never) => unknown }
    ? Name
    : never
}[keyof Client & string]

/** What a model's operation takes. Generated clients carry it under a symbol. */
export type Arguments<Delegate, Operation extends string> = Delegate extends {
  [symbol: symbol]: { types: { operations: { [Name in Operation]: { args: infer Args } } } }
}
  ? Args
  : never
