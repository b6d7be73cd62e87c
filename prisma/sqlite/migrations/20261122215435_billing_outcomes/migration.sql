-- AlterTable
ALTER TABLE "billing_customers" ADD COLUMN "change" TEXT;
ALTER TABLE "billing_customers" ADD COLUMN "change_until" DATETIME;

-- AlterTable
ALTER TABLE "webhook_events" ADD COLUMN "outcome" TEXT;
ALTER TABLE "webhook_events" ADD COLUMN "processed_at" DATETIME;

-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_subscriptions" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "stripe_subscription_id" TEXT NOT NULL,
    "customer_id" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "stripe_status" TEXT NOT NULL,
    "cancel_at" DATETIME,
    "cancel_at_period_end" BOOLEAN NOT NULL DEFAULT false,
    "trial_end" DATETIME,
    "ended_at" DATETIME,
    "started_at" DATETIME,
    "collection_paused" BOOLEAN NOT NULL DEFAULT false,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" DATETIME NOT NULL,
    CONSTRAINT "subscriptions_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "billing_customers" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
INSERT INTO "new_subscriptions" ("cancel_at", "cancel_at_period_end", "created_at", "customer_id", "ended_at", "id", "status", "stripe_status", "stripe_subscription_id", "trial_end", "updated_at") SELECT "cancel_at", "cancel_at_period_end", "created_at", "customer_id", "ended_at", "id", "status", "stripe_status", "stripe_subscription_id", "trial_end", "updated_at" FROM "subscriptions";
DROP TABLE "subscriptions";
ALTER TABLE "new_subscriptions" RENAME TO "subscriptions";
CREATE UNIQUE INDEX "subscriptions_stripe_subscription_id_key" ON "subscriptions"("stripe_subscription_id");
CREATE INDEX "subscriptions_customer_id_idx" ON "subscriptions"("customer_id");
CREATE INDEX "subscriptions_status_updated_at_idx" ON "subscriptions"("status", "updated_at");
CREATE TABLE "new_outbox_messages" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "key" TEXT NOT NULL,
    "topic" TEXT NOT NULL,
    "payload" JSONB NOT NULL,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "sent_at" DATETIME,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_attempt_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lease_until" DATETIME,
    "dead_at" DATETIME,
    "last_error" TEXT
);
INSERT INTO "new_outbox_messages" ("attempts", "created_at", "id", "key", "last_error", "lease_until", "payload", "sent_at", "topic") SELECT "attempts", "created_at", "id", "key", "last_error", "lease_until", "payload", "sent_at", "topic" FROM "outbox_messages";
DROP TABLE "outbox_messages";
ALTER TABLE "new_outbox_messages" RENAME TO "outbox_messages";
CREATE UNIQUE INDEX "outbox_messages_key_key" ON "outbox_messages"("key");
CREATE INDEX "outbox_messages_sent_at_next_attempt_at_idx" ON "outbox_messages"("sent_at", "next_attempt_at");
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;

-- CreateIndex
CREATE INDEX "webhook_events_received_at_idx" ON "webhook_events"("received_at");
