-- AlterTable
ALTER TABLE "webhook_events" ADD COLUMN "hook_ran_at" DATETIME;
