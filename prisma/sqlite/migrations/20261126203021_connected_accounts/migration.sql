-- DropIndex
DROP INDEX "webhook_events_customer_id_idx";

-- AlterTable
ALTER TABLE "webhook_events" ADD COLUMN "stripe_account_id" TEXT;

-- CreateIndex
CREATE INDEX "webhook_events_customer_id_status_idx" ON "webhook_events"("customer_id", "status");
