-- AlterTable
ALTER TABLE "plan_prices" ADD COLUMN "changed_at" DATETIME;

-- AlterTable
ALTER TABLE "billing_customers" ADD COLUMN "baseline_at" DATETIME;
ALTER TABLE "billing_customers" ADD COLUMN "checkout" TEXT;

-- AlterTable
ALTER TABLE "subscriptions" ADD COLUMN "past_due_since" DATETIME;

-- AlterTable
ALTER TABLE "outbox_messages" ADD COLUMN "skipped" TEXT;

-- CreateTable
CREATE TABLE "former_customers" (
    "stripe_customer_id" TEXT NOT NULL PRIMARY KEY,
    "customer_id" TEXT NOT NULL,
    "replaced_at" DATETIME NOT NULL,
    CONSTRAINT "former_customers_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "billing_customers" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "unlinked_payers" (
    "stripe_customer_id" TEXT NOT NULL PRIMARY KEY,
    "subscriptions" JSONB NOT NULL,
    "found_at" DATETIME NOT NULL,
    "ignored_at" DATETIME
);

-- CreateTable
CREATE TABLE "billing_tasks" (
    "name" TEXT NOT NULL PRIMARY KEY,
    "lease_until" DATETIME,
    "started_at" DATETIME,
    "finished_at" DATETIME,
    "findings" INTEGER
);

-- CreateIndex
CREATE INDEX "former_customers_customer_id_idx" ON "former_customers"("customer_id");
