import { z } from 'zod'

/** What the inbox keeps of an event. Nothing else of the payload is trusted: it may be old, or of another API version. */
export interface ReceivedEvent {
  stripeEventId: string
  type: string
  objectId: string | null
  customerId: string | null
  /** The connected account that it is about; null for the own one. */
  stripeAccountId: string | null
  apiVersion: string | null
  livemode: boolean
  stripeCreatedAt: Date | null
}

const id = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[\w.-]+$/)
const type = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[\w.[\]]+$/)

const reference = z.union([id, z.object({ id }).transform((object) => object.id)])

/** Never left out when it cannot be read: another account's objects would be taken for the own one's. */
const account = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[\w./-]+$/)
  .nullish()

const snapshot = z.object({
  id,
  object: z.literal('event'),
  type,
  api_version: z
    .string()
    .max(100)
    .regex(/^[^\0]*$/)
    .nullish(),
  created: z.int().nonnegative().max(253402300799),
  livemode: z.boolean().default(false),
  account,
  data: z.object({
    object: z.object({
      id: id.nullish().catch(null),
      object: z.string().max(100).nullish(),
      customer: reference.nullish().catch(null),
    }),
  }),
})

const thin = z.object({
  id,
  object: z.literal('v2.core.event'),
  type,
  created: z.iso.datetime({ offset: true }),
  livemode: z.boolean().default(false),
  context: account,
  related_object: z.object({ id }).nullish(),
})

/** Reads a snapshot or a thin event; undefined when it is neither. */
export function parseEvent(payload: unknown): ReceivedEvent | undefined {
  const full = snapshot.safeParse(payload)
  if (full.success) {
    const { data } = full
    const { object } = data.data
    const isCustomer = object.object === 'customer'
    return {
      stripeEventId: data.id,
      type: data.type,
      objectId: object.id ?? null,
      customerId: (isCustomer ? object.id : object.customer) ?? null,
      stripeAccountId: data.account ?? null,
      apiVersion: data.api_version ?? null,
      livemode: data.livemode,
      stripeCreatedAt: new Date(data.created * 1000),
    }
  }
  const short = thin.safeParse(payload)
  if (!short.success) return undefined
  const { data } = short
  const objectId = data.related_object?.id ?? null
  return {
    stripeEventId: data.id,
    type: data.type.replace(/^v1\./, ''),
    objectId,
    customerId: objectId?.startsWith('cus_') ? objectId : null,
    stripeAccountId: data.context ?? null,
    apiVersion: null,
    livemode: data.livemode,
    stripeCreatedAt: new Date(data.created),
  }
}

/** Reads the text of an event; undefined when it is no JSON, or no event. */
export function parseEventText(text: string): ReceivedEvent | undefined {
  try {
    return parseEvent(JSON.parse(text))
  } catch {
    return undefined // no JSON
  }
}
