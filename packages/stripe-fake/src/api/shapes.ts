import { z } from 'zod'

/**
 * Parameters as Stripe takes them: text in a form or a query. A shape names those of one route; what it does not name is
 * refused. Its names are held against stripe-node's with `satisfies Fields<Stripe.…Params>`.
 */
export type Fields<Params> = { [Name in keyof Params]?: z.ZodType }

/** The values of one of stripe-node's open enums. */
type Known<Enum> = Enum extends string ? (string extends Enum ? never : Enum) : never

export const text = z.string().min(1)

export const integer = z.stringFormat('integer', /^-?\d{1,15}$/).transform(Number)

export function atLeast(least: number) {
  return integer.refine((value) => value >= least, {
    error: `This value must be greater than or equal to ${least}.`,
  })
}

export const decimal = z.stringFormat('decimal', /^-?\d+(\.\d+)?$/).transform(Number)

export const flag = z.stringFormat('boolean', /^(true|false)$/).transform((value) => value === 'true')

/** One of the values of Stripe's `Enum` that this stand-in knows. */
export function oneOf<Enum>() {
  return <const Values extends readonly [Known<Enum>, ...Known<Enum>[]]>(...values: Values) => z.enum(values)
}

export function shape<const Shape extends z.core.$ZodLooseShape>(fields: Shape) {
  return z.strictObject(fields)
}

/** Rows of a form: `items[0][price]=…`. */
export function rows<Row extends z.ZodType>(row: Row) {
  return z.preprocess(
    (value) => (typeof value === 'object' && value !== null ? Object.values(value) : value),
    z.array(row),
  )
}

/** A value that an empty text takes away. */
export function emptyable<Value extends z.ZodType>(value: Value) {
  return z.union([z.literal('').transform(() => null), value])
}

export const metadata = emptyable(z.record(z.string(), z.string()))

/** A time, or bounds of it. */
export const range = z.union([
  integer.transform((at) => ({ gte: at, lte: at })),
  shape({
    gt: integer.optional(),
    gte: integer.optional(),
    lt: integer.optional(),
    lte: integer.optional(),
  }),
])

/** What is taken and shown again, without any effect in this stand-in. */
export const echoed = z.unknown()

export const paging = {
  limit: integer.optional(),
  starting_after: text.optional(),
  ending_before: text.optional(),
}

export const nothing = shape({})
