import { HTTPException } from 'hono/http-exception'
import type { Services } from './services.ts'

/**
 * Billing sells any number of seats: whether those that are in use fit in is the application's to say. Here a plan with a
 * feature `seats` holds the members of the account; what else is in use stays, and no more can be added.
 * @throws HTTPException 409
 */
export async function refuseTooFewSeats(
  { database }: Pick<Services, 'database'>,
  accountId: string,
  { features }: Services['plans']['plans'][number],
  quantity: number,
): Promise<void> {
  if (typeof features.seats !== 'number') return
  const members = await database.client.membership.count({ where: { accountId } })
  const seats = features.seats * quantity
  if (members <= seats) return
  throw new HTTPException(409, {
    message: `Your account has ${members} members, and this would have ${seats} seats. Remove members first.`,
  })
}
