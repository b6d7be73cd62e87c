/** What customers are told, by topic of the outbox. Topics without a text are for the operators' log. */
export const mails: Record<string, { subject: string; text: string }> = {
  'subscription.started': {
    subject: 'Your plan is open',
    text: 'Thank you. Everything of your plan is open now.',
  },
  'subscription.ended': {
    subject: 'Your plan has ended',
    text: 'Your plan has ended. Your listings stay; those beyond the free one cannot be added to.',
  },
  'customer.subscription.trial_will_end': {
    subject: 'Your trial ends in three days',
    text: 'Your trial ends in three days. Nothing is to be done if you want to go on.',
  },
  'invoice.payment_failed': {
    subject: 'A payment did not go through',
    text: 'Your last payment did not go through. Please check your card; your plan goes on for a few days.',
  },
  'invoice.payment_action_required': {
    subject: 'Your bank asks you to confirm',
    text: 'Your bank asks you to confirm a payment. Open the billing page to do so.',
  },
  'checkout.payment_failed': {
    subject: 'A payment did not go through',
    text: 'The bank did not carry out your payment. Nothing was charged; you may try again.',
  },
  'refund.made': {
    subject: 'A refund is on its way',
    text: 'We have given money back. It takes up to ten days.',
  },
}
