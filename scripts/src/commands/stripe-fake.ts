import { Command } from 'commander'
import { exit } from '@outgrow/kit'
import type { Outcome } from '../output/outcome.ts'
import { runCommand } from '../output/run.ts'

interface Options {
  port: string
  webhook?: string
  secret: string
  duplicates: string
  drops: string
  delay: string
  price?: string[]
  json?: boolean
}

export const stripeFakeCommand = new Command('stripe-fake')
  .summary('a stand-in for Stripe on this machine')
  .description(
    'Serves the parts of Stripe Billing that the product uses, with pages and a clock of its own, until Ctrl-C. No money moves.',
  )
  .option('--port <n>', 'port on the loopback interface', '12111')
  .option('--webhook <url>', 'deliver events to this address')
  .option('--secret <whsec>', 'secret that signs deliveries', 'whsec_fake')
  .option('--duplicates <chance>', 'share of events delivered twice, 0 to 1', '0')
  .option('--drops <chance>', 'share of events never delivered, 0 to 1', '0')
  .option('--delay <ms>', 'delay each delivery by up to this long, so that their order changes', '0')
  .option('--price <id=amount...>', 'prices that exist from the start, such as price_pro=1900')
  .option('--json', 'print one JSON document on stdout at the end')
  .addHelpText(
    'after',
    `
Examples:
  outgrow stripe-fake --price price_pro=1900
  outgrow stripe-fake --webhook http://127.0.0.1:3000/webhooks/stripe --duplicates 0.2 --delay 500`,
  )
  .action((options: Options) =>
    runCommand<Outcome>(options.json ?? false, { command: 'stripe-fake' }, async ({ terminal, signal }) => {
      const { deliverTo, serveStripeFake } = await import('@outgrow/stripe-fake')
      await using server = await serveStripeFake({
        port: Number(options.port),
        webhookSecret: options.secret,
        now: Math.floor(Date.now() / 1000),
      })
      for (const price of options.price ?? []) {
        const [id = '', amount = '0'] = price.split('=')
        server.fake.addPrice({ id, name: id.replace(/^price_/, ''), amount: Number(amount) })
      }
      terminal.line(`STRIPE_API_BASE=${server.url}`)
      const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      if (options.webhook === undefined) await stopped
      else {
        await deliverTo(server.fake.deliveries, {
          url: options.webhook,
          duplicates: Number(options.duplicates),
          drops: Number(options.drops),
          delayMs: Number(options.delay),
          signal,
          onAnswer: ({ id, type }, status) => terminal.line(`${status} ${type} ${id}`),
        })
      }
      return { command: 'stripe-fake', ok: true, exitCode: exit.stopped, error: null }
    }),
  )
