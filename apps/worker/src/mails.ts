/** A mail to a customer. */
export interface Mail {
  subject: string
  text: string
}

/** What customers are told, by topic of the outbox. Topics without a text are for the operators' log. */
export const mails: Record<string, Mail> = {
  'subscription.started': {
    subject: 'Your plan is active',
    text: 'Thank you. Everything in your plan is now available.',
  },
  'subscription.ended': {
    subject: 'Your plan has ended',
    text: 'Your plan has ended. Everything you have stays, but you can add no more than without a plan.',
  },
  'customer.subscription.trial_will_end': {
    subject: 'Your trial ends soon',
    text: 'Your trial ends soon. You do not need to do anything to continue.',
  },
  'invoice.payment_failed': {
    subject: 'A payment did not go through',
    text: 'Your last payment did not go through. Please check your card; your plan stays active for a few days.',
  },
  'invoice.payment_action_required': {
    subject: 'Your bank asks you to confirm',
    text: 'Your bank asks you to confirm a payment. Open the billing page to do so.',
  },
  'checkout.payment_failed': {
    subject: 'A payment did not go through',
    text: 'Your bank did not carry out the payment. Nothing was charged; you can try again.',
  },
  'refund.made': {
    subject: 'A refund is on its way',
    text: 'We have refunded your payment. It can take up to ten days to arrive.',
  },
}
