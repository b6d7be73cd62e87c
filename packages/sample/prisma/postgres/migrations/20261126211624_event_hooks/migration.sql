-- AlterTable
ALTER TABLE "webhook_events" ADD COLUMN     "awaits_hook" BOOLEAN NOT NULL DEFAULT false;
