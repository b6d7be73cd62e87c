import { exit } from '@outgrow/kit'
import { Command } from 'commander'
import { numberOf } from '../number-option.ts'
import { outcome, type Outcome } from '../output/outcome.ts'
import { runCommand } from '../output/run.ts'

type Given = Record<'port' | 'secret' | 'duplicates' | 'drops' | 'delay', string>
type Options = Given & { webhook?: string; price?: string[]; json?: boolean }

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
      const { runStripeFake } = await import('@outgrow/stripe-fake')
      await runStripeFake({
        port: numberOf('port', options.port, { most: 65_535, isWhole: true }),
        webhookSecret: options.secret,
        prices: (options.price ?? []).map(priceOf),
        webhook:
          options.webhook === undefined
            ? undefined
            : {
                url: options.webhook,
                duplicates: numberOf('duplicates', options.duplicates, { most: 1 }),
                drops: numberOf('drops', options.drops, { most: 1 }),
                delayMs: numberOf('delay', options.delay),
                onAnswer: ({ id, type }, status) => terminal.line(`${status} ${type} ${id}`),
              },
        signal,
        onServing: (url) => terminal.line(`STRIPE_API_BASE=${url}`),
      })
      return { ...outcome('stripe-fake', {}), exitCode: exit.stopped }
    }),
  )

function priceOf(text: string): { id: string; amount: number } {
  const [id = '', amount = '0'] = text.split('=')
  return { id, amount: numberOf('price', amount, { isWhole: true }) }
}
