-- AlterTable
ALTER TABLE "plan_prices" ADD COLUMN     "changed_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "billing_customers" ADD COLUMN     "baseline_at" TIMESTAMPTZ(3),
ADD COLUMN     "checkout" TEXT;

-- AlterTable
ALTER TABLE "subscriptions" ADD COLUMN     "past_due_since" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "outbox_messages" ADD COLUMN     "skipped" TEXT;

-- CreateTable
CREATE TABLE "former_customers" (
    "stripe_customer_id" TEXT NOT NULL,
    "customer_id" TEXT NOT NULL,
    "replaced_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "former_customers_pkey" PRIMARY KEY ("stripe_customer_id")
);

-- CreateTable
CREATE TABLE "unlinked_payers" (
    "stripe_customer_id" TEXT NOT NULL,
    "subscriptions" JSONB NOT NULL,
    "found_at" TIMESTAMPTZ(3) NOT NULL,
    "ignored_at" TIMESTAMPTZ(3),

    CONSTRAINT "unlinked_payers_pkey" PRIMARY KEY ("stripe_customer_id")
);

-- CreateTable
CREATE TABLE "billing_tasks" (
    "name" TEXT NOT NULL,
    "lease_until" TIMESTAMPTZ(3),
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),
    "findings" INTEGER,

    CONSTRAINT "billing_tasks_pkey" PRIMARY KEY ("name")
);

-- CreateIndex
CREATE INDEX "former_customers_customer_id_idx" ON "former_customers"("customer_id");

-- AddForeignKey
ALTER TABLE "former_customers" ADD CONSTRAINT "former_customers_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "billing_customers"("id") ON DELETE CASCADE ON UPDATE CASCADE;
