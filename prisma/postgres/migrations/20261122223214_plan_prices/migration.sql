-- CreateTable
CREATE TABLE "plan_prices" (
    "stripe_price_id" TEXT NOT NULL,
    "plan_id" TEXT NOT NULL,

    CONSTRAINT "plan_prices_pkey" PRIMARY KEY ("stripe_price_id")
);

-- CreateIndex
CREATE INDEX "plan_prices_plan_id_idx" ON "plan_prices"("plan_id");

-- AddForeignKey
ALTER TABLE "plan_prices" ADD CONSTRAINT "plan_prices_plan_id_fkey" FOREIGN KEY ("plan_id") REFERENCES "plans"("id") ON DELETE CASCADE ON UPDATE CASCADE;
