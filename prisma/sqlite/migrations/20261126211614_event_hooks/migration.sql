-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_webhook_events" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "stripe_event_id" TEXT NOT NULL,
    "source" TEXT NOT NULL DEFAULT 'stripe',
    "type" TEXT NOT NULL,
    "object_id" TEXT,
    "customer_id" TEXT,
    "stripe_account_id" TEXT,
    "api_version" TEXT,
    "livemode" BOOLEAN NOT NULL DEFAULT false,
    "stripe_created_at" DATETIME,
    "received_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "payload" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'pending',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_attempt_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lease_until" DATETIME,
    "last_error" TEXT,
    "outcome" TEXT,
    "processed_at" DATETIME,
    "awaits_hook" BOOLEAN NOT NULL DEFAULT false
);
INSERT INTO "new_webhook_events" ("api_version", "attempts", "customer_id", "id", "last_error", "lease_until", "livemode", "next_attempt_at", "object_id", "outcome", "payload", "processed_at", "received_at", "source", "status", "stripe_account_id", "stripe_created_at", "stripe_event_id", "type") SELECT "api_version", "attempts", "customer_id", "id", "last_error", "lease_until", "livemode", "next_attempt_at", "object_id", "outcome", "payload", "processed_at", "received_at", "source", "status", "stripe_account_id", "stripe_created_at", "stripe_event_id", "type" FROM "webhook_events";
DROP TABLE "webhook_events";
ALTER TABLE "new_webhook_events" RENAME TO "webhook_events";
CREATE UNIQUE INDEX "webhook_events_stripe_event_id_key" ON "webhook_events"("stripe_event_id");
CREATE INDEX "webhook_events_status_next_attempt_at_idx" ON "webhook_events"("status", "next_attempt_at");
CREATE INDEX "webhook_events_received_at_idx" ON "webhook_events"("received_at");
CREATE INDEX "webhook_events_customer_id_status_idx" ON "webhook_events"("customer_id", "status");
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;
