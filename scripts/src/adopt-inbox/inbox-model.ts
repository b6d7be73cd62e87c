import { diffDatamodels } from '@outgrow/schema'

/** The inbox as a Prisma model, for applications that have none. The product's own schema holds the same. */
export const inboxModel = `enum EventStatus {
  PENDING    @map("pending")
  PROCESSING @map("processing")
  DONE       @map("done")
  IGNORED    @map("ignored")
  DEAD       @map("dead")

  @@map("event_status")
}

/// The webhook inbox: one row an event, whatever happens to it.
model WebhookEvent {
  id              Int         @id @default(autoincrement())
  stripeEventId   String      @unique @map("stripe_event_id")
  source          String      @default("stripe")
  type            String
  objectId        String?     @map("object_id")
  customerId      String?     @map("customer_id")
  apiVersion      String?     @map("api_version")
  livemode        Boolean     @default(false)
  stripeCreatedAt DateTime?   @map("stripe_created_at")
  receivedAt      DateTime    @default(now()) @map("received_at")
  /// The raw body, as it was signed.
  payload         String
  status          EventStatus @default(PENDING)
  attempts        Int         @default(0)
  nextAttemptAt   DateTime    @default(now()) @map("next_attempt_at")
  leaseUntil      DateTime?   @map("lease_until")
  lastError       String?     @map("last_error")
  /// What came of it: applied, superseded, or why nothing was to be done.
  outcome         String?
  processedAt     DateTime?   @map("processed_at")

  @@index([status, nextAttemptAt])
  @@index([receivedAt])
  @@index([customerId])
  @@map("webhook_events")
}
`

/** SQL that makes the inbox. */
export function inboxDdl(provider: 'sqlite' | 'postgres'): Promise<string> {
  const model =
    provider === 'sqlite'
      ? inboxModel
      : inboxModel.replaceAll(/ DateTime(\??) /g, ' DateTime$1 @db.Timestamptz(3) ')
  const name = provider === 'sqlite' ? 'sqlite' : 'postgresql'
  return diffDatamodels(provider, undefined, `datasource db {\n  provider = "${name}"\n}\n\n${model}`)
}
